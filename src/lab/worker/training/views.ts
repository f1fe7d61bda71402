/** @file The view that a training works on: of its own, so that no other view computes with what it changes. */
import type { ModelView } from '../../../model/view';
import { inFloat32 } from '../../../weights/inFloat32';
import { WrittenWeights } from '../../../weights/written';

let views = 0;

/** The variant with float32 weights that no other view shares and that the engine may write. */
export function trainedView({ shape, weights }: ModelView): ModelView & { readonly weights: WrittenWeights } {
  views += 1;
  const id = `training ${views}`;
  const written = new WrittenWeights(inFloat32(shape, weights, id), `${id} written`);
  return { id, shape, weights: written, writeBack: (source, pieces) => written.writeBack(source, pieces) };
}

/** The variant as it is: its weights are shared on the GPU, the factors beside them are this view's. */
export function frozenView({ shape, weights }: ModelView): ModelView {
  views += 1;
  return { id: `training ${views}`, shape, weights };
}
