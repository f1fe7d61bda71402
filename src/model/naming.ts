/**
 * @file How a checkpoint spells the names of its tensors. transformers writes 'model.layers.0…'; a base model that was saved
 * alone has no 'model.', and wrappers put a word of their own in front.
 */
import { LabError } from '../errors';
import type { Architecture } from './architectures/architecture';
import { show } from './configFields';

/** From a name as the family writes it to the name in the checkpoint. */
export interface Naming {
  /** What stands before 'layers.0…' and 'embed_tokens.weight' in the checkpoint, and in the family's own names. */
  readonly prefix: string;
  readonly own: string;
  /** Some names have the prefix and the others none. */
  readonly mixed: boolean;
  /** The checkpoint's name for one of the family's. */
  find(name: string): string;
}

const embedName = 'embed_tokens.weight';

/** What the family's own names begin with, e.g. 'model.'. */
export function ownPrefix({ model }: Pick<Architecture, 'model'>): string {
  return model.embed.slice(0, -embedName.length);
}

/**
 * The one spelling by which a checkpoint has all of `required` (the family's names). The family's own counts before
 * others, except where transformers itself cannot tell: with and without 'model.'. Null where there is no such spelling.
 * Throws 'bad-weights' where two have everything.
 */
export function completeNaming(
  architecture: Architecture,
  required: readonly string[],
  has: ReadonlyMap<string, unknown>,
): Naming | null {
  const own = ownPrefix(architecture);
  const cores = required.filter((name) => name.startsWith(own)).map((name) => name.slice(own.length));
  const complete = [...countByPrefix(cores, has.keys())]
    .filter(([, count]) => count === cores.length)
    .map(([prefix]) => prefix);
  const rivals = complete.includes(own)
    ? complete.filter((prefix) => prefix === own || prefix === '' || prefix === `${own}${own}`)
    : complete;
  if (rivals.length > 1) {
    const named = rivals.map((prefix) => `'${prefix}${embedName}'`.slice(0, 100)).join(' and ');
    throw new LabError(
      'bad-weights',
      `The checkpoint contains ${rivals.length} models, distinguished by their name prefixes: ${named}.`,
      'Keep only the tensors of one of them in the files.',
    );
  }
  const [prefix] = rivals;
  if (prefix !== undefined) return naming(architecture, prefix, has);
  // transformers looks for each name by itself, with 'model.' and without.
  const apart = own === 'model.' && cores.every((core) => has.has(own + core) !== has.has(core));
  return apart && cores.some((core) => has.has(core)) ? naming(architecture, own, has, true) : null;
}

/** The spelling by which most of `required` are there: for what is incomplete. The family's own where none is. */
export function likelyNaming(
  architecture: Architecture,
  required: readonly string[],
  has: ReadonlyMap<string, unknown>,
): Naming {
  const own = ownPrefix(architecture);
  const cores = required.filter((name) => name.startsWith(own)).map((name) => name.slice(own.length));
  let best = own;
  let most = 0;
  for (const [prefix, count] of countByPrefix(cores, has.keys())) {
    if (count < most || (count === most && prefix !== own)) continue;
    // Vision towers have layers, too, but neither such MLPs nor such embeddings.
    const isText = cores.some((core) => isOfText.test(core) && has.has(prefix + core));
    if (!isText && prefix !== own) continue;
    best = prefix;
    most = count;
  }
  return naming(architecture, best, has);
}

const isOfText = /^(layers\.\d+\.mlp\.(gate|up|down)_proj|embed_tokens)\.weight$/;

/** How many of the names without prefix there are with each prefix. */
function countByPrefix(cores: readonly string[], names: Iterable<string>): Map<string, number> {
  const wanted = new Set(cores);
  const tails = new Set(cores.map(tailOf));
  const found = new Map<string, number>();
  for (const name of names) {
    if (!tails.has(tailOf(name))) continue;
    const starts = [0];
    for (let dot = name.indexOf('.'); dot !== -1 && starts.length <= maxPrefixWords; dot = name.indexOf('.', dot + 1)) {
      starts.push(dot + 1);
    }
    for (const start of starts) {
      if (!wanted.has(name.slice(start))) continue;
      const prefix = name.slice(0, start);
      found.set(prefix, (found.get(prefix) ?? 0) + 1);
    }
  }
  return found;
}

const maxPrefixWords = 8;

/** The last two words of a name, which identify most tensors that no model needs. */
function tailOf(name: string): string {
  return name.slice(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
}

function naming(architecture: Architecture, prefix: string, has: ReadonlyMap<string, unknown>, mixed = false): Naming {
  const own = ownPrefix(architecture);
  const outer = prefix.replace(/(^|\.)model\.$/, '$1');
  const headNames = [architecture.model.lmHead, `${outer}lm_head.weight`, `${prefix}lm_head.weight`, 'lm_head.weight'];
  const ordered = prefix === own ? headNames : [...headNames.slice(1), architecture.model.lmHead];
  const head = ordered.find((name) => has.has(name)) ?? architecture.model.lmHead;
  return {
    prefix,
    own,
    mixed,
    find(name) {
      if (name === architecture.model.lmHead) return head;
      if (!name.startsWith(own)) return name;
      const core = name.slice(own.length);
      return mixed && !has.has(name) && has.has(core) ? core : prefix + core;
    },
  };
}

/** One sentence about a spelling that is not the family's; null for its own, of which one beside a vision tower has two. */
export function namingNote({ prefix, own, mixed }: Naming): string | null {
  if (mixed) {
    return `Some of the checkpoint's tensors are named without '${own}'; they were matched without the prefix, as in transformers.`;
  }
  if (prefix === own || (own === 'language_model.model.' && prefix === 'model.language_model.')) return null;
  const found = prefix === '' ? `without '${own}'` : `with ${show(prefix)} in place of '${own}'`;
  const byTransformers = prefix === '' || prefix === `${own}${own}`;
  return `The checkpoint's tensors are named ${found}; they were read by what follows${
    byTransformers ? ', as in transformers' : '. transformers would not find them'
  }.`;
}
