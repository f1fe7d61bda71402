/** @file What a training step costs in forward passes over the same tokens, its optimizer's share, and its memory per parameter. */

import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { randomModel } from '../src/engine/testing/testWeights';
import type { StepOptions, Trainer } from '../src/engine/train/trainer';
import { modelParameters } from '../src/model/count';
import type { ModelView } from '../src/model/view';
import { inFloat32 } from '../src/weights/inFloat32';
import { WrittenWeights } from '../src/weights/written';
import { assertNear, race, sequencesFor, shapeOf, verdict } from './harness';

const goals = { full: { atMost: 5 }, lora: { atMost: 4 }, distill: { atMost: 6 } };
const optimizer = { learningRate: 1e-9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
const clip = 1;
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The model in float32, to be trained. */
function trainedView({ shape, weights }: Omit<ModelView, 'id'>, id: string): ModelView {
  const written = new WrittenWeights(inFloat32(shape, weights, id), `${id} written`);
  return { id, shape, weights: written, writeBack: (source, pieces) => written.writeBack(source, pieces) };
}

export async function benchTraining(context: GpuContext): Promise<void> {
  const { software } = context.info;
  const shape = shapeOf(context, 8);
  const sequences = sequencesFor(shape, software ? 4 : 8, software ? 128 : 512);
  const tokens = sequences.flat().length;
  const parameters = modelParameters(shape);
  const model = randomModel(shape, 'F16');
  const base = await Engine.create(context, model);
  if (!software) await base.tune();
  const live = (): number => base.memory().liveBytes;
  const before = live();
  const student = await base.open(trainedView(model, 'training'));
  const weightBytes = live() - before;
  const trainer = student.trainer();
  const lora = base.loraTrainer({ rank: 8, alpha: 16 });
  const distill = { teacher: base, temperature: 2, weight: 0.5 };
  const step = (of: Trainer, more: Partial<StepOptions> = {}) => of.step(sequences, { optimizer, clip, ...more });

  const expected = await base.score(shape.layers, sequences);
  const loss = expected.sumNll.reduce((a, b) => a + b, 0) / expected.tokens;
  const peaks: Record<string, number> = {};
  const validated = async (name: string, work: () => Promise<{ loss: number }>): Promise<void> => {
    base.memory().resetPeak();
    const start = live();
    assertNear(`loss of the first step, ${name}`, (await work()).loss, loss, 1e-3 * loss);
    peaks[name] = base.memory().peakBytes - start;
  };
  await validated('recomputing', () => step(trainer, { keepBytes: 0 }));
  const moments = live() - before - weightBytes;
  await validated('keeping', () => step(trainer));
  const other = await base.open(trainedView(model, 'distillation'));
  const distilled = other.trainer();
  // Teacher and student agree: half of the loss is that of the text, the divergence is zero.
  base.memory().resetPeak();
  assertNear(
    'loss of the first step, distillation',
    (await step(distilled, { distill, keepBytes: 0 })).loss,
    loss / 2,
    1e-2 * loss,
  );
  const untouched = live();
  await validated('low-rank factors', () => step(lora));
  const factors = live() - untouched;

  const profile = await trainer.profile(sequences, { optimizer, clip });
  const share = (name: string): number => profile.kernels.find((kernel) => kernel.kernel === name)?.share ?? 0;
  const times = await race(
    {
      forward: () => student.score(shape.layers, sequences),
      recomputing: () => step(trainer, { keepBytes: 0 }),
      keeping: () => step(trainer),
      distill: () => step(distilled, { distill, keepBytes: 0 }),
    },
    software ? 3 : 10,
  );
  // The factors are beside the base's weights in F16: so is its forward pass.
  lora.close();
  const factored = base.loraTrainer({ rank: 8, alpha: 16 });
  const plain = await base.open({ id: 'without factors', shape, weights: model.weights });
  const alone = () => plain.score(shape.layers, sequences);
  const loraTimes = await race(
    { forward: () => alone(), recomputing: () => step(factored, { keepBytes: 0 }), keeping: () => step(factored) },
    software ? 3 : 10,
  );
  const loraProfile = await factored.profile(sequences, { optimizer, clip });
  const perSecond = (milliseconds: number): string => `${((tokens / milliseconds) * 1000).toFixed(0)} tokens/s`;
  const line = (name: string, ratio: number, text: string, goal: { atMost: number }, milliseconds: number): string =>
    `  ${name}: ${text} forwards, ${verdict(ratio, goal)}; ${perSecond(milliseconds)}`;
  const full = (rival: 'recomputing' | 'keeping') =>
    line(`full, ${rival}`, times.ratio(rival, 'forward'), times.text(rival, 'forward'), goals.full, times.mean(rival));
  const factorsLine = (rival: 'recomputing' | 'keeping') =>
    line(
      `low-rank factors, ${rival}`,
      loraTimes.ratio(rival, 'forward'),
      loraTimes.text(rival, 'forward'),
      goals.lora,
      loraTimes.mean(rival),
    );
  const dearest = ({ kernels }: typeof profile): string =>
    kernels
      .slice(0, 6)
      .map((kernel) => `${kernel.kernel} ${(100 * kernel.share).toFixed(0)} %`)
      .join(', ');
  console.log(
    [
      `8 blocks × ${shape.hidden}, ${parameters} parameters, ${tokens} tokens${software ? ', on a software adapter' : ''}: forward ${times.mean('forward').toFixed(0)} ms`,
      full('recomputing'),
      full('keeping'),
      factorsLine('recomputing'),
      factorsLine('keeping'),
      line(
        'distillation, recomputing',
        times.ratio('distill', 'forward'),
        times.text('distill', 'forward'),
        goals.distill,
        times.mean('distill'),
      ),
      `  of a step's time (${profile.timing}): AdamW ${(100 * share('adamw')).toFixed(1)} %, squares for the norm ${(100 * share('squareSum')).toFixed(1)} %`,
      `  the dearest kernels: ${dearest(profile)}`,
      `  the dearest kernels with low-rank factors: ${dearest(loraProfile)}`,
      `  bytes a parameter, full: weights ${(weightBytes / parameters).toFixed(2)}, moments ${(moments / parameters).toFixed(2)}, beyond them in a step ${((peaks['recomputing']! - moments) / parameters).toFixed(2)} (gradients 4, and activations)`,
      `  low-rank factors: ${mb(factors)} for factors and moments, ${(factors / parameters).toFixed(3)} bytes a parameter of the model`,
      `  peak beyond what stays: recomputing ${mb(peaks['recomputing']! - moments)}, keeping ${mb(peaks['keeping']!)}, low-rank factors ${mb(peaks['low-rank factors']!)}`,
    ].join('\n'),
  );
  base.dispose();
  if (software) await benchSmallModel(context);
}

/** Steps of a model as small as stories260K, where the factors weigh most: by each other, since both train the same model. */
async function benchSmallModel(context: GpuContext): Promise<void> {
  const block = { heads: 8, kvHeads: 4, headDim: 8, ffn: 172 };
  const layers = Array.from({ length: 5 }, (_, source) => ({ source, ...block }));
  const shape = { ...shapeOf(context, 5), vocab: 512, hidden: 64, layers };
  const sequences = sequencesFor(shape, 4);
  const model = randomModel(shape, 'F32');
  const base = await Engine.create(context, model);
  const lora = base.loraTrainer({ rank: 16, alpha: 32 });
  const dropping = (await base.open({ id: 'dropping', shape, weights: model.weights })).loraTrainer({
    ...{ rank: 16, alpha: 32, dropout: 0.05 },
  });
  const full = (await base.open(trainedView(model, 'small'))).trainer();
  const losses: number[] = [];
  for (const trainer of [full, lora]) losses.push((await trainer.step(sequences, { optimizer, clip })).loss);
  assertNear('loss of the first step, small model', losses[1]!, losses[0]!, 1e-4 * losses[0]!);
  const step = (of: Trainer) => () => of.step(sequences, { optimizer, clip });
  const times = await race({ full: step(full), lora: step(lora), dropping: step(dropping) }, 5);
  console.log(
    [
      `5 blocks × 64, rank 16, ${sequences.flat().length} tokens, keeping: a step of full training ${times.mean('full').toFixed(0)} ms`,
      `  with low-rank factors ${times.text('lora', 'full')} of that, with dropout ${times.text('dropping', 'full')}`,
    ].join('\n'),
  );
  base.dispose();
}
