/** @file Shows which adapter and runtimes produce the page's numbers; always visible. */
import type { DeviceInfo } from '../../report/facts';
import { Icon } from '../parts/icons';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab } from '../parts/useLab';

/** Adapter features that the engine uses. */
const telling: Readonly<Record<string, string>> = {
  'shader-f16': 'f16',
  subgroups: 'subgroups',
  'timestamp-query': 'GPU timers',
};

export function featureNames(device: DeviceInfo): string[] {
  return Object.entries(telling)
    .filter(([feature]) => device.features.includes(feature))
    .map(([, name]) => name);
}

export function DeviceLine() {
  const ready = useLab((state) => state.ready);
  const device = useLab((state) => state.device);
  const failed = useLab((state) => !state.ready && state.tasks.load?.phase === 'failed');
  return (
    <div className="device-line" role="status" aria-label="Device">
      {failed && <span>The laboratory did not start.</span>}
      {!failed && !ready && <span>Looking for a GPU…</span>}
      {ready && !device && (
        <span>
          <b>No WebGPU</b> · the benchmark runs on the CPU (ONNX Runtime wasm)
        </span>
      )}
      {ready && device && (
        <>
          <span>
            <Icon name="chip" /> WebGPU · <b>{device.adapter}</b>
            {featureNames(device).map((name) => ` · ${name}`)}
            {device.halfPrecision && ' · f16 matmuls allowed'}
          </span>
          {device.software && <SoftwareBadge />}
          <span className="device-runtimes">live numbers: WGSL engine · benchmark: ONNX Runtime Web</span>
        </>
      )}
    </div>
  );
}
