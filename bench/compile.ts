/**
 * @file How long this adapter's driver compiles each kernel: what the first use of a model waits for.
 *
 * A driver may compile at a shader's first launch only, so that launch counts, on next to no data. In milliseconds of CPU time
 * of this process, in which drivers compile. Mesa keeps what it compiled on disk: set
 * MESA_SHADER_CACHE_DISABLE=true.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Engine } from '../src/engine/engine';
import { CommandQueue } from '../src/engine/gpu/commandQueue';
import { type GpuContext, openDevice } from '../src/engine/gpu/device';
import type { Kernel } from '../src/engine/gpu/kernel';
import { Pipelines, pipelinesOf } from '../src/engine/gpu/pipelines';
import { KernelChoice } from '../src/engine/kernels/kernelChoice';
import { operations } from '../src/engine/kernels/matmulClasses';
import { openCompilingDevice, testGpu } from '../src/engine/testing/harness';
import { randomModel } from '../src/engine/testing/testWeights';
import { kernelOf } from '../src/engine/tuning/matmulTrial';
import type { LayerShape, ModelShape } from '../src/model/shape';

const block: LayerShape = { source: 0, heads: 2, kvHeads: 1, headDim: 64, ffn: 64 };
const llama: ModelShape = {
  family: 'llama',
  vocab: 67,
  hidden: 64,
  layers: [block, { ...block, source: 1 }],
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
};
const capped: Partial<LayerShape> = { activation: 'gelu_tanh', normPlacement: 'both', scoreSoftcap: 50 };
const models: Readonly<Record<string, ModelShape>> = {
  'as Llama': llama,
  'as Gemma 2': {
    ...llama,
    layers: [
      { ...block, ...capped, window: 5 },
      { ...block, ...capped, source: 1 },
    ],
    logitSoftcap: 30,
    normOffset: 1,
  },
  'sizes that four does not divide': {
    ...llama,
    layers: [
      { ...block, headDim: 18, ffn: 42, qkNorm: 'head', window: 5 },
      { ...block, source: 1, headDim: 18, ffn: 42, scoreSoftcap: 50 },
    ],
  },
};

/** The records that an engine asks for while it works on every model: on a device that computes nothing, as if on `context`. */
async function recordsInUse({ info }: GpuContext): Promise<Map<Kernel, string>> {
  const idle = await openCompilingDevice();
  if (idle === null) throw new Error('Dawn offers no device that computes nothing.');
  const context: GpuContext = { ...idle, info };
  const found = new Map<Kernel, string>();
  const pipelines = pipelinesOf(context);
  const usual = pipelines.of.bind(pipelines);
  let by = '';
  pipelines.of = (kernel) => {
    if (!found.has(kernel)) found.set(kernel, by);
    return usual(kernel);
  };
  const sequences = [Array.from({ length: 20 }, (_, i) => i)];
  for (const [name, shape] of Object.entries(models)) {
    by = name;
    const engine = await Engine.create(context, randomModel(shape, 'F16'));
    await engine.score(shape.layers, sequences);
    await engine.blockStatistics(sequences);
    await engine.taylor(sequences);
    await engine.divergence([shape.layers.slice(1)], sequences);
    const decoder = engine.decoder(shape.layers, { positions: 20 });
    await decoder.logits([1, 2, 3]);
    await decoder.logits([4]);
    decoder.close();
    engine.dispose();
  }
  idle.device.destroy();
  const choice = new KernelChoice(info, { float16Matmuls: true });
  for (const operation of operations) {
    for (const tile of choice.offered({ operation, byFour: true })) {
      const kernel = kernelOf(operation, 'F16', tile);
      if (!found.has(kernel)) found.set(kernel, 'the tuner');
    }
  }
  return found;
}

/** CPU time of this process so far, ms; on Linux without its main thread, which only asks Dawn whether it is done. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  const main = `/proc/self/task/${process.pid}/schedstat`;
  const waiting = existsSync(main) ? Number(readFileSync(main, 'utf8').split(' ')[0]) / 1e6 : 0;
  return (user + system) / 1000 - waiting;
}

/** CPU time that `work` takes, ms. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = cpuMs();
  await work();
  return cpuMs() - before;
}

export async function benchCompile(context: GpuContext): Promise<void> {
  const records = await recordsInUse(context);
  const fresh = await openDevice(await testGpu());
  const { device } = fresh;
  const pipelines = new Pipelines(fresh);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const found: { name: string; by: string; pipeline: number; launch: number }[] = [];
  for (const [kernel, by] of records) {
    const queue = new CommandQueue(fresh, pipelines);
    const names = Object.keys(kernel.buffers);
    const buffers = Object.fromEntries(names.map((name) => [name, device.createBuffer({ size: 2 ** 16, usage })]));
    const params = Object.fromEntries(Object.keys(kernel.params).map((name) => [name, 1]));
    const launch = async (): Promise<void> => {
      await queue.launch(kernel, buffers, params, 1);
      await queue.read(buffers[names[0]!]!, 16);
    };
    const pipeline = await cpuOf(() => queue.prepare([kernel]));
    found.push({ name: kernel.name, by, pipeline, launch: await cpuOf(launch) });
    queue.dispose();
    for (const buffer of Object.values(buffers)) buffer.destroy();
  }
  device.destroy();
  found.sort((a, b) => b.pipeline + b.launch - a.pipeline - a.launch);
  const total = found.reduce((sum, { pipeline, launch }) => sum + pipeline + launch, 0);
  console.log(
    `${found.length} kernels with F16 weights: ${(total / 1000).toFixed(1)} s of CPU time; those that take longest:`,
  );
  for (const { name, by, pipeline, launch } of found.slice(0, 24)) {
    console.log(
      `${(pipeline + launch).toFixed(0).padStart(7)} ms (pipeline ${pipeline.toFixed(0)})  ${name}, first for ${by}`,
    );
  }
}
