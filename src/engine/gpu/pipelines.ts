/** @file Kernel records compiled for one device: each once, whichever command queue launches it first. */
import { LabError } from '../../errors';
import type { GpuContext } from './device';
import type { Kernel } from './kernel';

interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class Pipelines {
  /** Layout of @group(1): one uniform with a launch's parameters. */
  readonly paramLayout: GPUBindGroupLayout;
  readonly #context: GpuContext;
  readonly #pipelines = new Map<Kernel, Promise<Pipeline>>();

  constructor(context: GpuContext) {
    this.#context = context;
    this.paramLayout = context.device.createBindGroupLayout({
      label: 'params',
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ],
    });
  }

  /** Compiles records before their first launch, several at a time. */
  async prepare(kernels: readonly Kernel[]): Promise<void> {
    await Promise.all(kernels.map((kernel) => this.of(kernel)));
  }

  /** The pipeline of a record, compiled at its first use. */
  of(kernel: Kernel): Promise<Pipeline> {
    let pipeline = this.#pipelines.get(kernel);
    if (pipeline === undefined) {
      pipeline = this.#compile(kernel);
      this.#pipelines.set(kernel, pipeline);
    }
    return pipeline;
  }

  async #compile(kernel: Kernel): Promise<Pipeline> {
    const { device } = this.#context;
    const layout = device.createBindGroupLayout({
      label: kernel.name,
      entries: Object.values(kernel.buffers).map((access, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
      })),
    });
    try {
      device.pushErrorScope('validation');
      const module = device.createShaderModule({ label: kernel.name, code: kernel.code });
      if ((await device.popErrorScope()) !== null) throw new Error(await compilationErrors(module));
      const pipeline = await device.createComputePipelineAsync({
        label: kernel.name,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout, this.paramLayout] }),
        compute: { module, entryPoint: 'main', constants: { ...kernel.constants } },
      });
      return { pipeline, layout };
    } catch (thrown) {
      this.#pipelines.delete(kernel);
      if (this.#context.failure !== null) throw this.#context.failure;
      throw new LabError(
        'internal',
        `${kernel.name} did not compile on '${this.#context.info.adapter}': ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        'This is a bug in Secateur: please report it with the console output.',
        { cause: thrown },
      );
    }
  }
}

const shared = new WeakMap<GPUDevice, Pipelines>();

/** The pipelines of a device, kept as long as the device: a second engine on it recompiles nothing. */
export function pipelinesOf(context: GpuContext): Pipelines {
  const pipelines = shared.get(context.device) ?? new Pipelines(context);
  shared.set(context.device, pipelines);
  return pipelines;
}

async function compilationErrors(module: GPUShaderModule): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter(({ type }) => type === 'error');
  return errors.map(({ lineNum, linePos, message }) => `line ${lineNum}:${linePos}: ${message}`).join('; ');
}
