/** @file Lists what still works without WebGPU, and how to enable it. */
import { Icon } from '../parts/icons';
import { useLab } from '../parts/useLab';

export function NoWebGpu() {
  const absent = useLab((state) => state.ready && state.device === null);
  if (!absent) return null;
  return (
    <aside className="note wide" aria-label="No WebGPU">
      <Icon name="info" />
      <div className="note-body">
        <strong>This browser has no WebGPU</strong>
        <p>
          You can still load models, cut blocks by hand, use the criteria Magnitude and Random, and run the benchmark
          with ONNX Runtime on the CPU. The live perplexity and the criteria that run the model need WebGPU.
        </p>
        <p className="remedy">
          Use a recent Chrome or Edge, or Safari 26; on Linux, Chrome may need chrome://flags/#enable-unsafe-webgpu.
          WebGPU only works on pages from https or localhost.
        </p>
      </div>
    </aside>
  );
}
