/**
 * @file Keeps ONNX Runtime's compiled shaders while variants come and go: they live as long as any session on the
 * device does, so one session with a single node holds them all.
 */
import { createGraph } from '../onnx/builder';
import type { OrtInferenceSession, OrtLibrary } from './ort';

const keepers = new WeakMap<GPUDevice, Promise<OrtInferenceSession>>();

function smallestGraph(): Uint8Array<ArrayBuffer> {
  const graph = createGraph();
  graph.input({ name: 'x', type: 'float32', dims: [1] });
  graph.node('y', 'Add', ['x', 'x']);
  graph.output({ name: 'y', type: 'float32', dims: [1] });
  return graph.finish({ name: 'keeper', metadata: {} });
}

/** Opens the device's keeper unless it is there. Call inside a queued job. */
export async function keepShaders(ort: OrtLibrary, device: GPUDevice): Promise<void> {
  let keeper = keepers.get(device);
  if (keeper === undefined) {
    keeper = ort.InferenceSession.create(smallestGraph(), { executionProviders: [{ name: 'webgpu', device }] });
    keepers.set(device, keeper);
    keeper.catch(() => keepers.delete(device)); // the next session tries again
  }
  await keeper;
}

/** Lets a device's shaders go, when the last of its sessions is released too. Call inside a queued job. */
export async function dropShaders(device: GPUDevice): Promise<void> {
  const keeper = keepers.get(device);
  keepers.delete(device);
  await (await keeper)?.release();
}
