/** @file Which tokens begin and end a text, from config.json. No number depends on them, so nothing here refuses a model. */
import { type Fields, show } from './configFields';

export interface EdgeTokens {
  readonly bosTokenId: number | null;
  /** Tokens that end a text; empty when the file names none. */
  readonly eosTokenIds: readonly number[];
}

const maxIds = 64;

/** Ids that the vocabulary has; what else is said there is ignored with a note. */
export function parseEdgeTokens(fields: Fields, vocab: number, notes: string[]): EdgeTokens {
  const ids = (field: string): number[] => tokenIds(fields[field], vocab, `config.json: ${field}`, notes);
  return { bosTokenId: ids('bos_token_id')[0] ?? null, eosTokenIds: ids('eos_token_id') };
}

/** The token ids of a field that holds one, several or none; `where` names it in a note about what is none. */
export function tokenIds(value: unknown, vocab: number, where: string, notes: string[]): number[] {
  if (value === undefined || value === null) return [];
  const said = Array.isArray(value) ? value : [value];
  const isId = (id: unknown): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocab;
  const good = said.filter(isId);
  const other = said.find((id) => !isId(id));
  if (good.length < said.length) {
    notes.push(`${where} ${show(other)} is not a token id below vocab_size ${vocab} and is ignored.`);
  }
  if (good.length > maxIds) notes.push(`${where}: only the first ${maxIds} of ${good.length} ids are used.`);
  return [...new Set(good)].slice(0, maxIds);
}
