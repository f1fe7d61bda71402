/** @file Files that a person chose or dropped: the folder that holds config.json, wherever it lies in what came. */
import { LabError } from '../errors';
import { hashText } from './hash';
import { maxTextBytes, parseJson } from './json';
import { openLlama2c } from './llama2c';
import {
  configFile,
  demoFiles,
  filesInOrder,
  optionalFiles,
  tokenizerConfigFile,
  tokenizerFile,
  weightsFile,
} from './modelFiles';
import type { Repository, RepositoryFile } from './repository';
import { sentencepieceJson } from './sentencepiece';
import { indexFile, parseShardIndex } from './shardIndex';
import { badSource, missingConfig, missingFile, missingShard, missingWeights } from './sourceErrors';

const maxFiles = 20_000;

/** Throws 'bad-source' and 'missing-file'. */
export async function openFileRepository(chosen: readonly File[]): Promise<Repository> {
  const { folder, files } = modelFolder(await withLlama2c(chosen));
  await addTokenizer(files);
  const label = folder === '' ? 'the chosen files' : folder.replace(/\/$/, '');
  const config = files.get(configFile)!;
  const names = [...files.keys()].sort();
  const sizes = names.map((name) => `${name} ${files.get(name)!.size}`).join('\n');
  // Weights that were trained on keep their sizes: the time of writing makes them another revision.
  const times = names.map((name) => files.get(name)!.lastModified).join(' ');
  const entry = (name: string, optional: boolean): RepositoryFile => ({ name, size: files.get(name)!.size, optional });
  return {
    id: `files:${hashText(`${sizes}\n${await readText(config, configFile)}`)}`,
    label,
    revision: hashText(times),
    remote: false,
    async list() {
      const small = [...optionalFiles, ...demoFiles].filter((name) => files.has(name)).map((name) => entry(name, true));
      const { index, shards } = await weightFiles(files, label);
      return filesInOrder(
        [entry(configFile, false), ...small],
        shards.map((name) => entry(name, false)),
        index ? entry(indexFile, false) : null,
      );
    },
    async open(name) {
      const file = files.get(name);
      if (!file) throw missingFile(name, label);
      return { size: file.size, stream: file.stream() };
    },
  };
}

/**
 * Where there is no config.json, a llama2.c checkpoint is one: its .bin becomes the files of a Hugging Face folder.
 * A .bin beside safetensors, or PyTorch's own, is no such checkpoint and is left to the checks that follow.
 */
async function withLlama2c(chosen: readonly File[]): Promise<readonly File[]> {
  if (chosen.some((file) => file.name === configFile || file.name.endsWith('.safetensors'))) return chosen;
  const checkpoints = chosen.filter(({ name }) => /\.bin$/i.test(name) && !/^(tokenizer|pytorch_model)/i.test(name));
  const [checkpoint] = checkpoints;
  if (!checkpoint) return chosen;
  if (checkpoints.length > 1) {
    const names = checkpoints.map((file) => file.name).slice(0, 5);
    throw badSource(`${checkpoints.length} llama2.c checkpoints were chosen (${names.join(', ')}), expected one`);
  }
  const { config, weights } = await openLlama2c(checkpoint, checkpoint.name);
  const folder = folderOf(checkpoint);
  const { lastModified } = checkpoint;
  const made = [
    new File([JSON.stringify(config)], configFile, { lastModified }),
    new File(weights, weightsFile, { lastModified }),
  ];
  for (const file of made) Object.defineProperty(file, 'webkitRelativePath', { value: `${folder}${file.name}` });
  return [...made, ...chosen.filter((file) => file !== checkpoint)];
}

/** Where there is only sentencepiece's tokenizer.model, it becomes tokenizer.json. Throws 'bad-tokenizer'. */
async function addTokenizer(files: Map<string, File>): Promise<void> {
  const model = files.get('tokenizer.model');
  if (!model || files.has(tokenizerFile)) return;
  if (model.size > maxTextBytes) throw badSource(`tokenizer.model has ${model.size} bytes, at most ${maxTextBytes}`);
  const made = (name: string, json: object): File =>
    new File([JSON.stringify(json)], name, { lastModified: model.lastModified });
  files.set(tokenizerFile, made(tokenizerFile, sentencepieceJson(new Uint8Array(await model.arrayBuffer()))));
  if (files.has(tokenizerConfigFile)) return;
  // What transformers' LLaMA tokenizer does without a configuration.
  const config = { bos_token: '<s>', eos_token: '</s>', add_bos_token: true, add_eos_token: false };
  files.set(tokenizerConfigFile, made(tokenizerConfigFile, config));
}

/** The files beside the config.json that lies nearest to the root, by name. */
function modelFolder(chosen: readonly File[]): { folder: string; files: Map<string, File> } {
  if (chosen.length === 0) throw badSource('no files were chosen');
  if (chosen.length > maxFiles) throw badSource(`${chosen.length} files were chosen, at most ${maxFiles} can be`);
  const depth = (folder: string): number => folder.split('/').length;
  const folders = chosen.filter((file) => file.name === configFile).map(folderOf);
  const nearest = Math.min(...folders.map(depth));
  const roots = folders.filter((folder) => depth(folder) === nearest);
  const [folder] = roots;
  if (folder === undefined) throw missingConfig('What was chosen');
  if (roots.length > 1)
    throw badSource(`${roots.length} models were chosen (${roots.slice(0, 5).join(', ')}), expected one`);
  const files = new Map<string, File>();
  for (const file of chosen) {
    if (folderOf(file) !== folder) continue;
    if (files.has(file.name)) throw badSource(`${file.name} was chosen twice`);
    files.set(file.name, file);
  }
  return { folder, files };
}

/** Folder of a chosen file with a slash at its end; empty for a file that came alone. */
function folderOf(file: File): string {
  const path = file.webkitRelativePath || file.name;
  return path.slice(0, path.length - file.name.length);
}

async function weightFiles(
  files: ReadonlyMap<string, File>,
  label: string,
): Promise<{ index: boolean; shards: readonly string[] }> {
  const index = files.get(indexFile);
  if (index) {
    const { shards } = parseShardIndex(parseJson(await readText(index, indexFile), indexFile, 'bad-weights'));
    const missing = shards.find((shard) => !files.has(shard));
    if (missing !== undefined) throw missingShard(missing, label);
    return { index: true, shards };
  }
  if (files.has(weightsFile)) return { index: false, shards: [weightsFile] };
  const others = [...files.keys()].filter((name) => name.endsWith('.safetensors'));
  if (others.length === 1) return { index: false, shards: others };
  if (others.length === 0) throw missingWeights(label);
  throw new LabError(
    'missing-file',
    `${label} holds ${others.length} safetensors files and no ${indexFile} that says what is in which.`,
    `Add ${indexFile} from the model's repository.`,
  );
}

async function readText(file: File, name: string): Promise<string> {
  if (file.size > maxTextBytes) throw badSource(`${name} has ${file.size} bytes, expected at most ${maxTextBytes}`);
  return file.text().catch((cause) => {
    throw new LabError('bad-source', `${name} cannot be read (${String(cause)}).`, 'Choose the files again.', {
      cause,
    });
  });
}
