/** @file What still works without WebGPU, and how to get it. */
import { Icon } from '../parts/icons';
import { useLab } from '../parts/useLab';

export function NoWebGpu() {
  const absent = useLab((state) => state.ready && state.device === null);
  if (!absent) return null;
  return (
    <aside className="note wide" aria-label="No WebGPU">
      <Icon name="info" />
      <div className="note-body">
        <strong>This browser offers no WebGPU</strong>
        <p>
          Still here: loading models, cutting blocks by hand, the criteria Magnitude and Random, and the benchmark with
          ONNX Runtime on the CPU. Missing: the live perplexity and the criteria that run the model.
        </p>
        <p className="remedy">
          Use a recent Chrome or Edge, or Safari 26; on Linux, Chrome may need chrome://flags/#enable-unsafe-webgpu. The
          page must come from https or localhost.
        </p>
      </div>
    </aside>
  );
}
