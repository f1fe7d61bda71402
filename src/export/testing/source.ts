/** @file For tests: a golden checkpoint, pruned, as exporters get it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModel } from '../../engine/testing/testWeights';
import { parseConfig } from '../../model/config';
import { modelParameters } from '../../model/count';
import { withoutPatch, withPatch } from '../../pruning/build';
import { emptyPlan, type PruningPlan, planOfUnits } from '../../pruning/plan';
import type { PatchFacts, Step } from '../../pruning/variant';
import { safetensorsParts, type TensorToWrite } from '../../shards/formats/safetensors';
import { checkPatch } from '../../weights/patchFile';
import type { ExportedFile, ExportSource } from '../exported';

const fixtures = fileURLToPath(new URL('../../../tools/golden/fixtures/', import.meta.url));

/** Models that were read already, by folder. */
const models = new Map<string, ReturnType<typeof readModel>>();

interface Change {
  readonly plan?: PruningPlan;
  readonly recipe?: readonly Step[];
  /** Tensors of the variant's own, by their names in the base. */
  readonly patch?: readonly TensorToWrite[];
  /** Files of the folder in place of those on disk. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly source?: Partial<ExportSource>;
}

/** The model of a folder on disk, such as 'tiny-a', with a plan and what else makes a variant. */
export async function exportSourceOf(name: string, change: Change = {}): Promise<ExportSource> {
  const folder = join(fixtures, name);
  const base = models.get(folder) ?? readModel(folder);
  models.set(folder, base);
  const { plan = emptyPlan('golden'), recipe = [], patch, texts = {} } = change;
  const cut = withoutPatch(base, plan, recipe);
  const checked = patch && (await checkPatch(new Blob(safetensorsParts(patch)), { base, parent: cut }));
  const { shape, weights } = withPatch(cut, checked ?? null);
  const facts: PatchFacts | null = checked ? { sha256: checked.sha256, bytes: checked.blob.size, tensors: [] } : null;
  const steps: Step[] = [...recipe, ...(facts ? [{ kind: 'patch' as const, ...facts }] : [])];
  const text = (file: string): string | null => {
    if (texts[file] !== undefined) return texts[file];
    return existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : null;
  };
  const parameters = modelParameters(base.shape);
  const left = modelParameters(shape);
  const { architecture, eosTokenIds } = parseConfig(JSON.parse(text('config.json')!));
  const dtype = base.weights.modelTensor('embed').dtype;
  return {
    ...{ id: 'v1', name: `${name} pruned`, plan, recipe: steps, shape, baseShape: base.shape, architecture },
    ...{ parameters: left, ratio: 1 - left / parameters, endsOfText: eosTokenIds, row: null, baseRow: null },
    calibration: null,
    model: {
      ...{ id: 'golden', source: 'files:golden', revision: 'r1', architecture, shape: base.shape, parameters },
      ...{ storedBytes: 0, dtype, tokenizer: true, downloadedBytes: 0, lastUsed: 0, notes: [] },
    },
    view: { id: 'v1', shape, weights },
    text: async (file) => text(file),
    ...change.source,
  };
}

/** The plan that removes these units of a golden checkpoint. */
export const planOf = (
  ...args: Parameters<typeof planOfUnits> extends [string, ...infer Rest] ? Rest : never
): PruningPlan => planOfUnits('golden', ...args);

/** An exported file, read whole. Fails where its size is not what it said. */
export async function contentOf(file: ExportedFile): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of file.pieces()) parts.push(piece);
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  if (bytes.byteLength !== file.bytes)
    throw new Error(`${file.path}: said ${file.bytes} bytes, gave ${bytes.byteLength}`);
  return bytes;
}

/** The files as a user would choose them again. */
export async function chosenAgain(files: readonly ExportedFile[]): Promise<File[]> {
  return Promise.all(files.map(async (file) => new File([await contentOf(file)], file.path, { lastModified: 1 })));
}
