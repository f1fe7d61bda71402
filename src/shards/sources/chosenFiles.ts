/** @file Which of the files that a user chose or dropped are one model: those beside its config.json. */
import { configFile } from './modelFiles';
import { badSource, missingConfig } from './sourceErrors';

/** A file and where it lay in what was chosen, 'folder/name': a File that was dropped does not tell by itself. */
export interface ChosenFile {
  readonly file: File;
  readonly path: string;
}

const maxFiles = 20_000;
const namedModels = 5;

/** The files with their paths; those of a folder picker carry them. Throws 'bad-source' for none, or far too many. */
export function chosenFiles(chosen: readonly File[] | readonly ChosenFile[]): ChosenFile[] {
  if (chosen.length === 0) throw badSource('no files were chosen');
  if (chosen.length > maxFiles) throw badSource(`${chosen.length} files were chosen, at most ${maxFiles} can be`);
  return chosen.map((each) => ('file' in each ? each : { file: each, path: each.webkitRelativePath || each.name }));
}

/** Path of the folder that holds a file, with a slash at its end; empty for a file that came alone. */
export function folderOf({ path }: Pick<ChosenFile, 'path'>): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/**
 * The one model among the files: the folder of a config.json, before others one with weights, and none that lies within
 * such a folder. Throws 'bad-source' where several are left, by their names, and 'missing-file' where none is.
 */
export function modelFolder(chosen: readonly ChosenFile[]): { folder: string; files: Map<string, File> } {
  const configs = new Set(chosen.filter(({ file }) => file.name === configFile).map(folderOf));
  const weighty = new Set(chosen.filter(({ file }) => file.name.endsWith('.safetensors')).map(folderOf));
  const all = [...configs];
  const models = all.some((folder) => weighty.has(folder)) ? all.filter((folder) => weighty.has(folder)) : all;
  const outermost = models.filter((folder) => !models.some((other) => other !== folder && folder.startsWith(other)));
  const [folder] = outermost;
  if (folder === undefined) throw noModel(chosen);
  if (outermost.length > 1) throw several('models', outermost);
  const files = new Map<string, File>();
  for (const each of chosen) {
    if (folderOf(each) !== folder) continue;
    if (files.has(each.file.name)) throw badSource(`${each.file.name} was chosen twice`);
    files.set(each.file.name, each.file);
  }
  return { folder, files };
}

/** The refusal of more than one, with the names to choose from. */
export function several(what: string, names: readonly string[]): Error {
  const listed = names.slice(0, namedModels).map((name) => name.replace(/\/$/, ''));
  const more = names.length > namedModels ? ', …' : '';
  return badSource(`${names.length} ${what} were chosen (${listed.join(', ')}${more}), expected one`);
}

/** The Hub's cache keeps its bytes in blobs/ under their digests and links to them; browsers do not follow links. */
function noModel(chosen: readonly ChosenFile[]): Error {
  const cache = chosen.find(({ path }) => /(^|\/)models--[^/]+\/blobs\//.test(path));
  if (!cache) return missingConfig('What was chosen');
  return badSource(
    `${cache.path.replace(/\/blobs\/.*/, '')} is a Hub cache with symbolic links, which browsers cannot follow; copy its snapshot with the links resolved (cp -rL)`,
  );
}
