/** @file Opens the model of a report in the report's revision: numbers of other weights would compare with nothing. */
import { LabError } from '../../../errors';
import type { ModelInfo } from '../../../report/facts';
import type { TaskOptions } from '../../../task';
import type { ReproduceOptions } from '../../contract/sharing';
import type { Lab } from '../../contract/types';

/** Where a report's model comes from. */
export type ModelPlace =
  | { readonly kind: 'demo' }
  | { readonly kind: 'files' }
  /** `source` is one of `lab.load`, `host` the server that is asked. */
  | { readonly kind: 'hub' | 'folder'; readonly source: string; readonly host: string };

type Named = Pick<ModelInfo, 'id' | 'revision'>;

/** Where a model comes from, told by its id: no request is made. @throws LabError 'bad-report' for an id that names no place */
export function placeOf({ id, revision }: Named): ModelPlace {
  if (id === 'demo') return { kind: 'demo' };
  if (id.startsWith('files:')) return { kind: 'files' };
  if (id.startsWith('hf:')) return { kind: 'hub', source: `${id.slice(3)}@${revision}`, host: 'huggingface.co' };
  const address = id.startsWith('folder:') ? id.slice('folder:'.length) : '';
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) {
    return { kind: 'folder', source: address, host: new URL(address).host };
  }
  const message = `The report's model: expected 'demo', 'hf:owner/name', 'folder:https://…' or 'files:…', got '${id.slice(0, 200)}'.`;
  throw new LabError('bad-report', message, 'Ask the author of the report where its model is.');
}

type Opening = Pick<Lab, 'load' | 'report'>;

/** Loads it, from this browser's storage where that has it. @throws LabError 'not-found' or 'changed' where this revision cannot be had */
export async function openReported(
  lab: Opening,
  wanted: Named,
  { token, hub }: Pick<ReproduceOptions, 'token' | 'hub'>,
  task: TaskOptions,
): Promise<ModelInfo> {
  const place = placeOf(wanted);
  const found = await loadFrom(lab, place, wanted, { ...(token && { token }), ...(hub && { hub }) }, task);
  if (found.id === wanted.id && found.revision === wanted.revision) return found;
  throw otherRevision(place, wanted, found);
}

async function loadFrom(
  lab: Opening,
  place: ModelPlace,
  { id }: Named,
  choice: { token?: string; hub?: string },
  task: TaskOptions,
): Promise<ModelInfo> {
  if (place.kind === 'demo') return lab.load('demo', task);
  if (place.kind !== 'files') return lab.load(place.source, { ...choice, ...task });
  try {
    return await lab.load(id, task);
  } catch (thrown) {
    if (!(thrown instanceof LabError) || thrown.code !== 'not-found') throw thrown;
    const open = await lab.report().catch(() => null);
    if (open?.model.id === id) return open.model;
    throw new LabError(
      'not-found',
      'The report’s model came from its author’s own files, and this browser does not store it.',
      'Ask the author for the files, open them with “Open files” on the page, and run the report again.',
      { cause: thrown },
    );
  }
}

function otherRevision(place: ModelPlace, wanted: Named, found: Named): LabError {
  const remedies = {
    demo: 'Open the report with the version of the page that made it: each version ships its own demo.',
    files: 'Ask the author of the report for the files.',
    hub: 'Ask the author of the report for the revision.',
    folder: 'The files at this address have changed since: ask the author of the report for those that were measured.',
  } as const;
  return new LabError(
    'changed',
    `The report's model '${wanted.id}': expected revision '${wanted.revision}', got '${found.revision}'.`,
    remedies[place.kind],
  );
}
