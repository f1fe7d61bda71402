/** @file The products with a weight that passes over a model launch, and the numbers of rows that they come with. */

import { classKey, classOf, type Matmul, type Operation } from '../kernels/matmulClasses';
import type { EngineParts } from '../pass/runtime';
import { chunkRows } from '../pass/vocabularyChunks';
import type { MatrixLayout } from '../weights/blockLayout';

/** A product with how often a pass launches it. */
export interface CountedMatmul extends Matmul {
  readonly count: number;
}

/** Rows of the default calibration set: 10 windows of 128 tokens. */
const usualRows = 1280;
/** Rows of each class that a window of 128 tokens or more falls into. */
const classRows = [128, 512, 2048, 4096];

/** Every class of products of the model once, the dearest first. */
export function modelMatmuls({ forward, logitBytes, shape, weights }: EngineParts): CountedMatmul[] {
  const found = new Map<string, CountedMatmul>();
  const add = (operation: Operation, matrix: MatrixLayout, cols: number, steps: readonly number[]): void => {
    const { dtype, inner } = matrix;
    for (const rows of new Set(classRows.map((most) => Math.min(most, forward.sliceRows)))) {
      const matmul = { operation, dtype, rows, inner, cols, byFour: steps.every((step) => step % 4 === 0) };
      const key = classKey(classOf(matmul));
      const before = found.get(key) ?? { ...matmul, count: 0 };
      found.set(key, { ...before, count: before.count + 1 });
    }
  };
  const backward = (matrix: MatrixLayout, roles: readonly number[]): void => {
    const { inner, rows: stride } = matrix;
    add('linearInputGradient', matrix, stride, [inner, stride]);
    for (const cols of roles) add('weightSalience', matrix, cols, [inner, stride, ...roles]);
  };
  for (const { shape: layer, attention, mlp } of weights.blocks.layouts.values()) {
    if (attention !== null) {
      for (const matrix of [attention.qkv, attention.out]) add('linear', matrix, matrix.rows, [matrix.inner]);
      const [q, kv] = [layer.heads * layer.headDim, layer.kvHeads * layer.headDim];
      backward(attention.qkv, [q, kv, kv]);
      backward(attention.out, [shape.hidden]);
    }
    if (mlp !== null) {
      // The backward pass reads gate and up by themselves, and a bias is added to them.
      if (mlp.gateUpBias === null) add('swiglu', mlp.gateUp, mlp.gateUp.rows, [mlp.gateUp.inner]);
      add('linear', mlp.gateUp, mlp.gateUp.rows, [mlp.gateUp.inner]);
      add('linear', mlp.down, mlp.down.rows, [mlp.down.inner]);
      backward(mlp.gateUp, [layer.ffn, layer.ffn]);
      backward(mlp.down, [shape.hidden]);
    }
  }
  for (const part of weights.head) {
    add('headPartials', part, part.rows, [part.inner]);
    const cols = Math.min(part.rows, chunkRows(usualRows, logitBytes));
    add('headGradient', part, cols, [part.inner]);
    add('linearInputGradient', part, cols, [part.inner]);
  }
  const cost = ({ rows, inner, cols, count }: CountedMatmul): number => rows * inner * cols * count;
  return [...found.values()].sort((a, b) => cost(b) - cost(a));
}
