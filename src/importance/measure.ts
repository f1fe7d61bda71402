/** @file Runs a method: checks its request first, then loads its computation. */
import { LabError, throwIfAborted } from '../errors';
import type { MethodOption, ScoreMethod, Setting, StructureScores, WidthSetting } from './method';
import { type CriterionEntry, criteria, type ScoreEntry, takes, type WidthEntry, widthMethods } from './methods';

/** Scores by one criterion, and the base's score if the method has one. @throws LabError 'not-available' | 'bad-argument' | 'no-webgpu' before anything is measured */
export async function measureScores(
  record: ScoreEntry,
  setting: Setting,
): Promise<{ scores: number[]; reference?: number }> {
  if (!record.units.includes(setting.unit)) {
    throw new LabError(
      'not-available',
      `The criterion '${record.id}' scores ${record.units.join(', ')}; '${setting.unit}' is not in this version.`,
      `Use one of those units, or the criterion 'ppl'.`,
    );
  }
  checkSpan(record, setting.span, setting.shape.layers.length);
  if (record.needs === 'gpu' && setting.probe === null) throw needsGpu(record);
  throwIfAborted(setting.signal, record.label);
  const method: ScoreMethod = (await record.load()).default;
  const scores = await method.score(setting);
  if (!method.reference) return { scores };
  throwIfAborted(setting.signal, record.label);
  return { scores, reference: await method.reference(setting) };
}

/** Scores of heads and neurons by one method. @throws LabError 'no-webgpu' before anything is measured */
export async function measureWidth(record: WidthEntry, setting: WidthSetting): Promise<StructureScores> {
  if (record.needs === 'gpu' && setting.probe === null) throw needsGpu(record);
  throwIfAborted(setting.signal, record.label);
  return (await record.load()).default.score(setting);
}

/** Refuses spans of blocks that the criterion cannot score. @throws LabError 'bad-argument' */
export function checkSpan(record: CriterionEntry, span: number, layers: number): void {
  if (span !== 1 && !takes(record, 'window')) {
    throw new LabError(
      'bad-argument',
      `window: '${record.id}' scores single units, got window ${span}.`,
      `Leave 'window' out.`,
    );
  }
  if (!Number.isInteger(span) || span < 1 || span > layers) {
    throw new LabError('bad-argument', `window: expected 1 to ${layers} blocks, got ${span}.`, 'Give a shorter span.');
  }
}

/** Options that a method must have to accept them. The others (`seed`, `count`) are accepted everywhere, so that one call serves many methods. */
const ownOptions = ['barriers', 'generations', 'offspring', 'survivors', 'tokens'] as const satisfies MethodOption[];

/** Refuses options that the method does not have. @throws LabError 'bad-argument' that names the methods which have it */
export function checkOptions(record: CriterionEntry, options: Readonly<Partial<Record<MethodOption, unknown>>>): void {
  const foreign = ownOptions.find((name) => options[name] !== undefined && !takes(record, name));
  if (foreign === undefined) return;
  const others = criteria.filter((method) => takes(method, foreign)).map(({ id }) => `'${id}'`);
  const message = `${foreign}: '${record.id}' has no such option.`;
  throw new LabError('bad-argument', message, `Leave it out. It is an option of ${others.join(', ')}.`);
}

/** The error for a method that runs on the GPU in a browser without WebGPU. It names the methods that run without. */
export function needsGpu({ id, kind }: Pick<CriterionEntry | WidthEntry, 'id' | 'kind'>): LabError {
  const others = kind === 'width' ? widthMethods : criteria;
  const names = others.filter(({ needs }) => needs !== 'gpu').map((method) => `'${method.id}'`);
  const last = names.pop() ?? '';
  return new LabError(
    'no-webgpu',
    `The method '${id}' runs on the GPU, and this browser has no WebGPU.`,
    `Use ${names.length > 0 ? `${names.join(', ')} or ${last}` : last}, or open the page in a browser with WebGPU.`,
  );
}
