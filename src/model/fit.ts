/**
 * @file What a checkpoint really holds, where that differs from what config.json says of it: whether the head has a table of
 * its own, which biases there are, how many blocks. The tensors decide, and a note says so.
 */
import { architectureOf } from './architectures';
import { layerTensorName } from './architectures/architecture';
import type { ModelConfig } from './config';
import { type Naming, namingNote } from './naming';
import { isBias, type LayerShape, layerRoles, type ModelShape } from './shape';
import { checkTensor, expectedTensors, type FileTensor, heldBlocks, namingOf, tensorsByName } from './tensors';
import type { TensorRef } from './weights';

/** A model as its tensors have it. */
export interface Fit {
  readonly shape: ModelShape;
  /** By their names in the family's spelling, those of a head that stands in for the embedding included. */
  readonly byName: ReadonlyMap<string, FileTensor>;
  readonly notes: readonly string[];
  /** Embedding and head, where config.json ties them and the checkpoint has both: they are one only if their bytes are equal. */
  readonly tables: readonly [TensorRef, TensorRef] | null;
}

/**
 * The shape that a checkpoint's tensors have. `ownHead`: what comparing the `tables` of an earlier call has shown.
 * Throws 'bad-weights' for what no shape can say; `indexTensors` tells what is missing.
 */
export function fitTensors(
  { shape }: Pick<ModelConfig, 'shape'>,
  tensors: Iterable<FileTensor>,
  ownHead: boolean | null = null,
): Fit {
  const notes: string[] = [];
  const byName = tensorsByName(tensors, notes);
  const naming = namingOf(shape, byName);
  const spelling = namingNote(naming);
  if (spelling !== null) notes.push(spelling);
  noteBlocks(shape, byName, naming, notes);
  const biased = heldBiases(shape, byName, naming, notes);
  noteUnread(biased, byName, naming, notes);
  return { ...fitHead(biased, byName, naming, ownHead, notes), notes };
}

/** Decides which table the head uses: transformers ties only equal or missing tables. */
function fitHead(
  shape: ModelShape,
  byName: ReadonlyMap<string, FileTensor>,
  naming: Naming,
  ownHead: boolean | null,
  notes: string[],
): Omit<Fit, 'notes'> {
  const { model } = architectureOf(shape.family);
  const [embedName, headName] = [naming.find(model.embed), naming.find(model.lmHead)];
  const embed = byName.get(embedName);
  const head = byName.get(headName);
  if (!shape.tiedHead || !head) return { shape, byName, tables: null };
  if (!embed) {
    notes.push(`The checkpoint has no ${model.embed}: the tied ${headName} is used as both, as in transformers.`);
    const alias = { ...head, name: embedName };
    return { shape, byName: new Map([...byName, [embedName, alias]]), tables: null };
  }
  const untied = { ...shape, tiedHead: false };
  const expected = expectedTensors(untied);
  const [embedRef, headRef] = (['embed', 'lmHead'] as const).map((role) => {
    const weight = expected.find((each) => each.role === role);
    const tensor = role === 'embed' ? embed : head;
    return weight ? checkTensor(weight, tensor) : null;
  });
  if (!embedRef || !headRef) return { shape, byName, tables: null };
  const tables = [embedRef, headRef] as const;
  if (!(ownHead ?? embedRef.dtype !== headRef.dtype)) return { shape, byName, tables };
  notes.push(
    `config.json says tie_word_embeddings, but ${headName} differs from the embedding: the head has its own weights, as in transformers.`,
  );
  return { shape: untied, byName, tables };
}

/** The layers with those of their biases that the checkpoint holds: transformers takes zeros for the others. */
function heldBiases(
  shape: ModelShape,
  byName: ReadonlyMap<string, FileTensor>,
  naming: Naming,
  notes: string[],
): ModelShape {
  const architecture = architectureOf(shape.family);
  let absent = 0;
  let example = '';
  const layers = shape.layers.map((layer): LayerShape => {
    if (layer.biases === undefined) return layer;
    const held = layer.biases.filter((role) => {
      const name = naming.find(layerTensorName(architecture, role, layer.source));
      if (byName.has(name)) return true;
      absent += 1;
      example ||= name;
      return false;
    });
    if (held.length === layer.biases.length) return layer;
    const { biases: _, ...rest } = layer;
    return held.length > 0 ? { ...rest, biases: held } : rest;
  });
  if (absent === 0) return shape;
  const more = absent > 1 ? ` and ${absent - 1} more` : '';
  notes.push(`The checkpoint lacks the bias ${example}${more}: they are taken as zero, as in transformers.`);
  return { ...shape, layers };
}

function noteBlocks(
  { layers }: ModelShape,
  byName: ReadonlyMap<string, FileTensor>,
  naming: Naming,
  notes: string[],
): void {
  const blocks = heldBlocks(naming, byName.keys());
  if (blocks <= layers.length) return;
  notes.push(
    `The checkpoint holds ${blocks} blocks, config.json says num_hidden_layers ${layers.length}: the first ${layers.length} are used, as in transformers.`,
  );
}

/** Tensors within the blocks that no role asks for: the model may be another than config.json says. */
function noteUnread(shape: ModelShape, byName: ReadonlyMap<string, FileTensor>, naming: Naming, notes: string[]): void {
  const architecture = architectureOf(shape.family);
  const read = new Set<string>();
  for (const layer of shape.layers) {
    for (const role of layerRoles(layer)) read.add(naming.find(layerTensorName(architecture, role, layer.source)));
  }
  const inBlock = /^layers\.(\d+)\./;
  const unread = [...byName.keys()].filter((name) => {
    if (!name.startsWith(naming.prefix) || read.has(name)) return false;
    const rest = name.slice(naming.prefix.length);
    const block = inBlock.exec(rest);
    return block !== null && Number(block[1]) < shape.layers.length && !tables.test(rest);
  });
  if (unread.length === 0) return;
  const more = unread.length > 1 ? ` and ${unread.length - 1} more` : '';
  notes.push(
    `The checkpoint's ${unread[0]?.slice(0, 120)}${more} belong to nothing in config.json and are ignored, as in transformers.`,
  );
}

/** What old checkpoints keep although it can be computed: rotary tables and masks. */
const tables = /\.(rotary_emb\.\w+|masked_bias|self_attn\.bias)$/;

/**
 * Of the tensors that a model needs in any case, those that are not among `names`, in their spelling: neither biases nor a
 * tied head.
 */
export function lackingNames(shape: ModelShape, names: Iterable<string>): string[] {
  const all = new Map(Array.from(names, (name) => [name, true]));
  const naming = namingOf(shape, all);
  const { embed, lmHead } = architectureOf(shape.family).model;
  const standIn = shape.tiedHead && all.has(naming.find(lmHead));
  return expectedTensors(shape)
    .filter(({ role, name }) => !isBias(role) && !(name === embed && standIn))
    .map(({ name }) => naming.find(name))
    .filter((name) => !all.has(name));
}
