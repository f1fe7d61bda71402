/** @file Trains a variant on the GPU; the trained weights become a variant of its own, with the rounded weights in a patch. */
import { LabError } from '../../errors';
import { baseViewId, type ModelView } from '../../model/view';
import type { RetrainStep } from '../../pruning/variant';
import { fileOf } from '../../repair/tensors';
import { trainedTensors } from '../../retrain/tensors';
import { train } from '../../retrain/train';
import type { TaskOptions } from '../../task';
import { inFloat32 } from '../../weights/inFloat32';
import { WrittenWeights } from '../../weights/written';
import { gpuBudget } from '../contract/deviceBudget';
import type { RetrainRequest, RetrainResult } from '../contract/retraining';
import type { Plain } from '../contract/workerSession';
import type { EngineHandle, Gpu } from './gpu';
import { refuseForMemory } from './trainingMemory';
import { calibrationOf, type Workspace } from './workspace';

/** More rows than any text that a browser trains on. */
const mostRows = 1_000_000;

let trainings = 0;

export async function retrain(
  workspace: Workspace,
  gpu: Gpu,
  task: TaskOptions,
  id: string,
  request: Plain<RetrainRequest>,
): Promise<RetrainResult> {
  const { method, steps, batch, learningRate } = request;
  if (method !== 'full') throw notYet(method);
  const info = workspace.variants.get(id);
  const before = workspace.variants.view(id);
  refuseForMemory(before, workspace.variants.view(baseViewId), request, gpuBudget(await gpu.device()));
  const given = request.tokenIds !== undefined;
  const seed = request.seed ?? (given ? 0 : (await calibrationOf(workspace, task)).info.seed);
  // All rows of the text, in its order; each epoch shuffles them. Unless told, the text that criteria calibrate on: the other is held out.
  const { corpus = 'calibration', text: own, tokenIds, seqLen, hub, addBosToEvery, samples = mostRows } = request;
  const asked = { corpus, text: own, tokenIds, seqLen, hub, addBosToEvery, samples };
  const { tokens: rows, text } = await workspace.sequences.evaluation(defined(asked), task);
  const heldOut = await workspace.sequences.evaluation(request.evaluation ?? {}, task);

  const view = float32View(before);
  return gpu.tuning.undisturbed(async () => {
    try {
      const handle = await gpu.engine(task, view);
      if (handle === null) throw needsGpu();
      const { engine } = handle;
      const trainer = engine.trainer();
      try {
        const result = await train({
          ...task,
          ...{ trainer, rows, batch, steps, learningRate, seed: given ? null : seed },
          ...{ warmup: request.warmup ?? 0, schedule: request.schedule ?? 'constant', clip: request.clip ?? 1 },
          optimizer: {
            ...{ beta1: request.beta1 ?? 0.9, beta2: request.beta2 ?? 0.999, epsilon: 1e-8 },
            weightDecay: request.weightDecay ?? 0,
          },
          evaluateEvery: request.evaluateEvery ?? Math.max(1, Math.ceil(steps / 10)),
          evaluate: () => perplexityOf(handle, before, heldOut.tokens, task),
        });
        await engine.flush(task);
        const tensors = await trainedTensors(before, view.weights, trainer, task);
        const { corpus: name, sequences: count, seqLen: length, hash } = text;
        const step: RetrainStep = {
          ...{ kind: 'retrain', method, steps, batch, learningRate, seed },
          text: { corpus: name, samples: count, seqLen: length, seed, hash },
        };
        const variant = await workspace.variants.addMade(
          {
            ...{ plan: info.plan, recipe: [...info.recipe, step], patch: fileOf(tensors), justMade: true },
            name: request.name ?? `${info.name}, retrained`,
            parent: id,
          },
          task,
        );
        return { variant, losses: [...result.losses], evaluations: [...result.evaluations] };
      } finally {
        trainer.close();
      }
    } finally {
      await gpu.close(view);
    }
  }, task.signal);
}

/** The variant with float32 weights that no other view shares and that the engine may write. */
function float32View({ shape, weights }: ModelView): ModelView & { readonly weights: WrittenWeights } {
  trainings += 1;
  const id = `training ${trainings}`;
  const written = new WrittenWeights(inFloat32(shape, weights, id), `${id} written`);
  return { id, shape, weights: written, writeBack: (source, pieces) => written.writeBack(source, pieces) };
}

async function perplexityOf(
  { engine }: EngineHandle,
  { shape }: ModelView,
  sequences: number[][],
  { signal }: TaskOptions,
): Promise<number> {
  const { sumNll, tokens } = await engine.score(shape.layers, sequences, { signal });
  return Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens);
}

/** The options that were given. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function notYet(method: string): LabError {
  return new LabError('not-available', `retrain: '${method}' is not in this version.`, "Use 'full'.");
}

function needsGpu(): LabError {
  return new LabError(
    'no-webgpu',
    'Training runs on the GPU, and this browser has no WebGPU.',
    'Open the page in a browser with WebGPU.',
  );
}
