/**
 * @file The adapters of one view, joined to a block's weights each time that a pass asks for them.
 *
 * The factors stay on the GPU. The matrices stay as they are stored, may be other views' too, and may take turns on the GPU.
 */
import type { ProjectionRole } from '../../model/shape';
import type { Dropout } from '../../numerics/dropout';
import { type Adapter, type AdapterSet, roleDropout } from './adapters';
import type { BlockWeights, Projection } from './gpuWeights';

/** The adapters of one view; it has none until some are set. */
export class ViewAdapters {
  #set: AdapterSet = new Map();

  get isEmpty(): boolean {
    return this.#set.size === 0;
  }

  set(adapters: AdapterSet): void {
    this.#set = adapters;
  }

  clear(): void {
    this.#set = new Map();
  }

  /** A block's weights with its adapters. `dropout` is that of the pass; null outside of a training. */
  on(source: number, weights: BlockWeights, dropout: Dropout | null): BlockWeights {
    const factors = this.#set.get(source);
    if (factors === undefined) return weights;
    const { attention, mlp, shape } = weights;
    const at = (role: ProjectionRole, first: number): Adapter[] => {
      const found = factors.get(role);
      return found === undefined ? [] : [{ ...found, first, dropout: dropout && roleDropout(dropout, source, role) }];
    };
    const joined = (projection: Projection, ...adapters: Adapter[][]): Projection => ({
      ...projection,
      adapters: adapters.flat(),
    });
    const { heads, kvHeads, headDim, ffn } = shape;
    const queries = heads * headDim;
    const keys = queries + kvHeads * headDim;
    return {
      shape,
      attention: attention && {
        ...attention,
        qkv: joined(attention.qkv, at('qProj', 0), at('kProj', queries), at('vProj', keys)),
        out: joined(attention.out, at('oProj', 0)),
      },
      mlp: mlp && {
        ...mlp,
        gateUp: joined(mlp.gateUp, at('gateProj', 0), at('upProj', ffn)),
        down: joined(mlp.down, at('downProj', 0)),
      },
    };
  }
}
