/**
 * @file The trainable of LoRA: low-rank factors beside frozen matrices, which stay in their stored type and may be other views' too.
 *
 * The factors are float32 and stay on the GPU. Nothing else gets a gradient: no frozen matrix, bias, norm or table.
 */

import { LabError } from '../../errors';
import {
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelShape,
  type ProjectionRole,
  projectionRoles,
} from '../../model/shape';
import type { Dropout } from '../../numerics/dropout';
import { mixSeed } from '../../numerics/random';
import type { Kernel } from '../gpu/kernel';
import { factorKernels } from '../pass/factorKernels';
import type { EngineParts } from '../pass/runtime';
import type { AdapterFactors } from '../weights/adapters';
import type { ViewAdapters } from '../weights/viewAdapters';
import { FactorGradients } from './factorGradients';
import { checkLora, type Factor, type FactorKind, factorKey, initialFactor, type LoraTraining } from './loraSetting';
import type { StepGradients, Target, Trainable, TrainedTensor } from './trainable';

/** A factor as a tensor that is trained. */
export interface FactorTensor extends TrainedTensor, Factor {
  readonly layer: number;
  readonly source: number;
}

export class Adapters implements Trainable {
  readonly inBlocks = false;
  readonly #setting: LoraTraining;
  readonly #buffers = new Map<string, GPUBuffer>();
  #free: (() => void)[] = [];
  #view: ViewAdapters | null = null;

  constructor(setting: LoraTraining) {
    checkLora(setting);
    this.#setting = setting;
  }

  kernels(parts: EngineParts, rows: number): Iterable<Kernel> {
    const { rank, dropout = 0 } = this.#setting;
    return factorKernels(parts, { rank, drops: dropout > 0 }, rows);
  }

  tensors({ shape }: Pick<EngineParts, 'shape'>): FactorTensor[] {
    const { rank, targets = projectionRoles } = this.#setting;
    return shape.layers.flatMap((own, layer) =>
      rolesOf(own, targets).flatMap((role) => {
        const [cols, inner] = dimsOf(shape, own, role);
        const tensor = (kind: FactorKind, dims: readonly [number, number]): FactorTensor => ({
          ...{ key: factorKey(layer, role, kind), layer, source: own.source, role, kind, dims },
          count: dims[0] * dims[1],
        });
        return [tensor('A', [rank, inner]), tensor('B', [cols, rank])];
      }),
    );
  }

  /** Makes the factors and gives them to the view, unless that was done. Call it at the begin of every task. */
  async prepare(parts: EngineParts): Promise<void> {
    if (this.#view !== null) return;
    const { buffers, queue, weights } = parts;
    const { seed = 0, initial = (factor) => initialFactor(seed, factor) } = this.#setting;
    const tensors = this.tensors(parts);
    if (tensors.length === 0) throw nothingToTrain(this.#setting);
    for (const tensor of tensors) {
      let buffer = this.#buffers.get(tensor.key);
      if (buffer === undefined) {
        const made = await buffers.allocate(tensor.count * 4, `factor ${tensor.key}`);
        buffer = made;
        this.#buffers.set(tensor.key, made);
        this.#free.push(() => buffers.free(made));
      }
      await queue.write(buffer, initial(tensor));
    }
    await queue.submit();
    weights.adapters.set(this.#adapterSet(parts.shape));
    this.#view = weights.adapters;
  }

  begin(parts: EngineParts, step: number): StepGradients & { readonly dropout?: (batch: number) => Dropout } {
    const { dropout: rate = 0, seed = 0 } = this.#setting;
    const gradients = new FactorGradients(parts, (layer, role) =>
      this.#buffers.has(factorKey(layer, role, 'A')) ? this.factorsOf(parts.shape, layer, role) : null,
    );
    if (rate === 0) return gradients;
    const ofStep = mixSeed(mixSeed(seed, 2 ** 31), step);
    return Object.assign(gradients, { dropout: (batch: number) => ({ rate, seed: mixSeed(ofStep, batch) }) });
  }

  async targets(_: EngineParts, { key, count }: TrainedTensor): Promise<readonly Target[]> {
    return [{ weight: this.#bufferOf(key), weightFirst: 0, stateFirst: 0, count }];
  }

  /** The factors of a projection of the view. */
  factorsOf(shape: ModelShape, layer: number, role: ProjectionRole): AdapterFactors {
    const { rank, alpha } = this.#setting;
    const [cols, inner] = dimsOf(shape, shape.layers[layer]!, role);
    const [a, b] = (['A', 'B'] as const).map((kind) => this.#bufferOf(factorKey(layer, role, kind)));
    return { a: a!, b: b!, rank, inner, cols, scale: alpha / rank };
  }

  /** Takes the factors from the view and frees them. */
  close(): void {
    this.#view?.clear();
    this.#view = null;
    for (const free of this.#free) free();
    this.#free = [];
    this.#buffers.clear();
  }

  #adapterSet(shape: ModelShape): Map<number, Map<ProjectionRole, AdapterFactors>> {
    const { targets = projectionRoles } = this.#setting;
    return new Map(
      shape.layers.map((own, layer) => [
        own.source,
        new Map(rolesOf(own, targets).map((role) => [role, this.factorsOf(shape, layer, role)] as const)),
      ]),
    );
  }

  #bufferOf(key: string): GPUBuffer {
    const buffer = this.#buffers.get(key);
    if (buffer === undefined) throw new RangeError(`factor ${key}: the training has none of this name`);
    return buffer;
  }
}

/** The targets that a layer has: those of a missing sub-block are left out. */
function rolesOf(layer: LayerShape, targets: readonly ProjectionRole[]): ProjectionRole[] {
  const has = new Set(layerRoles(layer));
  return projectionRoles.filter((role) => targets.includes(role) && has.has(role));
}

function dimsOf(shape: ModelShape, layer: LayerShape, role: ProjectionRole): readonly [cols: number, inner: number] {
  const [cols, inner] = layerWeightDims(shape, layer, role);
  return [cols!, inner!];
}

function nothingToTrain({ targets = projectionRoles }: LoraTraining): LabError {
  return new LabError(
    'bad-argument',
    `lora.targets: no layer of the model has ${targets.join(', ')}.`,
    'Choose projections that the model has.',
  );
}
