/** @file What `lab.export` gives: a variant's files in a format that other programs open. */
import { throwIfAborted } from '../../errors';
import { archiveOf } from '../../export/archive';
import type { ExportDtype, ExportedFile, ExportSource } from '../../export/exported';
import { wholeFile } from '../../export/files';
import { exportFormat } from '../../export/formats';
import { hubName } from '../../export/provenance';
import { baseViewId } from '../../model/view';
import type { KeptAdapter } from '../../retrain/keptAdapter';
import type { TaskOptions } from '../../task';
import type { ExportChoice } from '../contract/types';
import type { Workspace } from './workspace';

/** A variant with everything that an exporter may write about it. */
function exportSource(workspace: Workspace, id: string): ExportSource {
  const { model, variants, calibration } = workspace;
  const { name, plan, recipe, shape, parameters, ratio } = variants.get(id);
  const adapter = variants.adapter(id);
  const rows = variants.comparison();
  const row = (variant: string) => rows.find((each) => each.variant === variant) ?? null;
  return {
    ...{ id, name, plan, recipe, shape, parameters, ratio },
    baseShape: model.info.shape,
    architecture: model.info.architecture,
    model: model.info,
    view: variants.view(id),
    text: (file) => model.checkpoint.text(file),
    endsOfText: model.endsOfText,
    row: row(id),
    baseRow: row('base'),
    calibration: calibration?.info ?? null,
    ...(adapter && { hasAdapter: true, adapter, adapterBase: adapterBaseOf(workspace, adapter) }),
  };
}

/** The unpruned model of the Hub by its name; any other one by the folder that its own export has. */
function adapterBaseOf(workspace: Workspace, { parent, parentName }: KeptAdapter) {
  const { info } = workspace.model;
  const hub = parent === baseViewId ? hubName(info) : null;
  if (hub !== null) return { path: hub, revision: info.revision };
  return { path: `${folderNameOf(workspace, parentName)}-huggingface`, revision: null };
}

/** The exported files, of which only the small ones are made yet. */
export async function exportedFiles(
  workspace: Workspace,
  task: TaskOptions,
  id: string,
  format: string,
  dtype?: ExportDtype,
): Promise<readonly ExportedFile[]> {
  const source = exportSource(workspace, id);
  const { default: write } = await exportFormat(format, source, dtype).load();
  throwIfAborted(task.signal, 'The export');
  return write(source, { ...task, ...(dtype && { dtype }) });
}

/** A name for the folder of a variant, of characters that every file system takes. */
const folderName = (workspace: Workspace, id: string): string =>
  folderNameOf(workspace, workspace.variants.get(id).name);

function folderNameOf({ model }: Workspace, variant: string): string {
  const name = `${model.info.card?.title ?? model.info.source.replace(/^.*\//, '').replace(/@.*$/, '')} ${variant}`;
  return (
    name
      .replace(/[^A-Za-z0-9._]+/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 80) || 'model'
  );
}

/** The exported files as the browser's own. */
export async function exportVariant(
  workspace: Workspace,
  task: TaskOptions,
  id: string,
  format: string,
  { dtype, archive = false }: ExportChoice,
): Promise<File[]> {
  const files = await exportedFiles(workspace, task, id, format, dtype);
  if (archive) return [await archiveOf(`${folderName(workspace, id)}-${format}.zip`, files, task)];
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const made: File[] = [];
  let done = 0;
  for (const file of files) {
    const onBytes = (bytes: number): void => {
      done += bytes;
      task.onProgress?.({ stage: `Writing ${file.path}`, done, total, unit: 'bytes' });
    };
    made.push(await wholeFile(file, task.signal, onBytes));
  }
  return made;
}
