/** @file What survives a reload: the numbers of the last session with a model, in IndexedDB. Never weights. */
import { del, get, set } from 'idb-keyval';
import { databaseStore } from '../../io/database';
import { initialState, type LabState } from './store';

/** Fields of the page's state that were measured or decided, and stay true for the same stored model. */
const savedFields = [
  'calibrationChoice',
  'evaluationChoice',
  'calibration',
  'scores',
  'subBlockScores',
  'searches',
  'evolution',
  'unitMode',
  'criterion',
  'subBlockCriterion',
  'plus',
  'plan',
  'ownWeights',
  'past',
  'future',
  'base',
  'live',
  'comparison',
] as const satisfies readonly (keyof LabState)[];

export type Saved = Pick<LabState, (typeof savedFields)[number]>;

/** The numbers that survive a reload, one entry per model. */
export interface SavedSessions {
  /** Writes the entry of the open model. */
  save(state: LabState): Promise<void>;
  /** Reads the entry of the open model, where it was measured on the same bytes and adapter. */
  load(state: LabState): Promise<Saved | null>;
  drop(model: string): Promise<void>;
}

/** Numbers belong to a model's bytes, to an adapter, and to this version of the format. */
interface Entry {
  version: 2;
  fingerprint: string;
  /** An entry of an earlier version of the page lacks the fields that came later. */
  kept: Partial<Saved>;
}

const sessions = databaseStore('secateur-sessions', 'sessions');

/** Identity of what the numbers were measured on: model, revision, adapter and precision. */
export function fingerprint(state: LabState): string {
  const { model, device } = state;
  const precision = device?.halfPrecision ? ['f16'] : [];
  return JSON.stringify([model?.id, model?.revision, model?.parameters, device?.adapter ?? null, ...precision]);
}

/** Keeps the session of the open model. A full or missing storage costs only the memory of it. */
export async function save(state: LabState): Promise<void> {
  if (!state.model) return;
  const kept = savedOf(state);
  await set(state.model.id, { version: 2, fingerprint: fingerprint(state), kept } satisfies Entry, sessions);
}

/** What is saved of a state. */
export function savedOf(state: LabState): Saved {
  return Object.fromEntries(savedFields.map((field) => [field, state[field]])) as unknown as Saved;
}

/** The kept session of the open model, if it was measured on the same bytes and adapter. */
export async function loadSaved(state: LabState): Promise<Saved | null> {
  if (!state.model) return null;
  const entry = await get<Entry>(state.model.id, sessions);
  if (entry?.version !== 2 || entry.fingerprint !== fingerprint(state)) return null;
  return { ...savedOf(initialState), ...entry.kept };
}

/** Drops a model's session, with the model. */
export async function drop(id: string): Promise<void> {
  await del(id, sessions);
}

/** The sessions in this browser's IndexedDB. */
export const savedSessions: SavedSessions = { save, load: loadSaved, drop };
