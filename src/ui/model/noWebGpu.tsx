/** @file Lists what still works without WebGPU, and how to enable it. */
import { widthMethods, withoutGpu } from '../../importance/methods';
import { Icon } from '../parts/icons';
import { useLab } from '../parts/useLab';

/** Methods of blocks and of heads and neurons that run without a GPU. */
const usable = [
  ...new Set([...withoutGpu, ...widthMethods.filter(({ needs }) => needs !== 'gpu')].map(({ label }) => label)),
];

export function NoWebGpu() {
  const absent = useLab((state) => state.ready && state.device === null);
  if (!absent) return null;
  return (
    <aside className="note wide" aria-label="No WebGPU">
      <Icon name="info" />
      <div className="note-body">
        <strong>This browser has no WebGPU</strong>
        <p>
          You can still load models, cut blocks, heads and neurons, score them by {usable.join(', ')}, and run the
          benchmark with ONNX Runtime on the CPU. The live perplexity and the methods that run the model need WebGPU.
        </p>
        <p className="remedy">
          Use a recent Chrome or Edge, or Safari 26; on Linux, Chrome may need chrome://flags/#enable-unsafe-webgpu.
          WebGPU only works on pages from https or localhost.
        </p>
      </div>
    </aside>
  );
}
