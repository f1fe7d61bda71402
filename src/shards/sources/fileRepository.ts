/** @file Files that a user chose or dropped: the folder that holds config.json, wherever it lies in what came. */
import { LabError } from '../../errors';
import { hashText } from '../../io/hash';
import { maxTextBytes } from '../../io/json';
import { openLlama2c } from '../formats/llama2c';
import { llama2cTokenizerJson } from '../formats/llama2cTokenizer';
import { indexFile, isWeightsPath } from '../formats/shardIndex';
import { type ChosenFile, chosenFiles, folderOf, modelFolder, several } from './chosenFiles';
import {
  configFile,
  demoFiles,
  filesInOrder,
  optionalFilesOf,
  tokenizerConfigFile,
  tokenizerFile,
  tokenizerModelFile,
  weightsFile,
} from './modelFiles';
import type { Repository, RepositoryFile } from './repository';
import { sameFiles, sampleDigest } from './sameFiles';
import { badSource, missingFile } from './sourceErrors';
import { llamaTokenizerConfig } from './tokenizerModel';
import { chooseWeights, type WeightChoice } from './weightFiles';

/** Throws 'bad-source' and 'missing-file'. */
export async function openFileRepository(chosen: readonly File[] | readonly ChosenFile[]): Promise<Repository> {
  const all = await withLlama2c(chosenFiles(chosen));
  const { folder, files: beside } = modelFolder(all);
  const files = await withShardsBelow(beside, all, folder);
  let weights: WeightChoice | null = null;
  const label = folder === '' ? 'the chosen files' : folder.replace(/\/$/, '');
  const names = [...files.keys()].sort();
  // Weights that were trained on keep their names and sizes, and copies of them keep their times: the bytes decide.
  const used = names.filter((name) => /\.(safetensors|json|model)$/.test(name) || demoFiles.includes(name));
  const contents = await Promise.all(used.map(async (name) => `${name} ${await sampleDigest(files.get(name)!)}`));
  const content = hashText(contents.join('\n'));
  const entry = (name: string, optional: boolean): RepositoryFile => ({ name, size: files.get(name)!.size, optional });
  return {
    id: `files:${content}`,
    label,
    revision: content,
    remote: false,
    same: (stored, store, task) => sameFiles(files, stored, store, task),
    async list() {
      const optional = [...optionalFilesOf((name) => files.has(name)), ...demoFiles.filter((name) => files.has(name))];
      const small = optional.map((name) => entry(name, true));
      weights = await chooseWeights({
        label,
        names,
        has: async (name) => files.has(name),
        text: async (name) => (files.has(name) ? readText(files.get(name)!, name) : null),
        config: await readText(files.get(configFile)!, configFile),
      });
      const { index, shards } = weights;
      return filesInOrder(
        [entry(configFile, false), ...small],
        shards.map((name) => entry(name, false)),
        index ? entry(indexFile, false) : null,
      );
    },
    weights: () => weights,
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
async function withLlama2c(chosen: readonly ChosenFile[]): Promise<readonly ChosenFile[]> {
  if (chosen.some(({ file: { name } }) => name === configFile || name.endsWith('.safetensors'))) return chosen;
  const binaries = chosen.filter(({ file: { name } }) => /\.bin$/i.test(name) && !/^pytorch_model/i.test(name));
  const checkpoints = binaries.filter((each) => !isTokenizer(each));
  const [checkpoint] = checkpoints;
  if (!checkpoint) return chosen;
  if (checkpoints.length > 1) {
    throw several(
      'llama2.c checkpoints',
      checkpoints.map(({ path }) => path),
    );
  }
  const { file } = checkpoint;
  const { config, weights } = await openLlama2c(file, file.name);
  const beside = chosen.filter((each) => each !== checkpoint && folderOf(each) === folderOf(checkpoint));
  const made = [
    fileOf(configFile, [JSON.stringify(config)], file),
    fileOf(weightsFile, weights, file),
    ...(await llama2cTokenizer(beside)),
  ].map((each): ChosenFile => ({ file: each, path: `${folderOf(checkpoint)}${each.name}` }));
  const replaced = new Set(made.map(({ path }) => path));
  return [...made, ...chosen.filter((each) => each !== checkpoint && !replaced.has(each.path))];
}

/** 'tokenizer.bin', and 'tok512.bin' as llama2.c names a vocabulary of its own. */
function isTokenizer({ file: { name } }: ChosenFile): boolean {
  return /^tok/i.test(name);
}

/** The tokenizer of a llama2.c checkpoint under the names of a Hugging Face folder. Throws 'bad-tokenizer'. */
async function llama2cTokenizer(beside: readonly ChosenFile[]): Promise<File[]> {
  if (beside.some(({ file }) => file.name === tokenizerFile)) return [];
  const one = (suffix: RegExp): File | undefined => {
    const found = beside.filter((each) => isTokenizer(each) && suffix.test(each.file.name));
    if (found.length <= 1) return found[0]?.file;
    throw several(
      'tokenizers',
      found.map(({ path }) => path),
    );
  };
  // Of the same tokenizer in both forms, sentencepiece's says more: how it treats spaces.
  const model = one(/\.model$/i);
  if (model) return [fileOf(tokenizerModelFile, [model], model)];
  const binary = one(/\.bin$/i);
  if (!binary) return [];
  if (binary.size > maxTextBytes) throw badSource(`${binary.name} has ${binary.size} bytes, at most ${maxTextBytes}`);
  const json = llama2cTokenizerJson(new Uint8Array(await binary.arrayBuffer()), binary.name);
  return [
    fileOf(tokenizerFile, [JSON.stringify(json)], binary),
    fileOf(tokenizerConfigFile, [JSON.stringify(llamaTokenizerConfig)], binary),
  ];
}

/** A file made from another: as old as that one. */
function fileOf(name: string, parts: BlobPart[], { lastModified }: File): File {
  return new File(parts, name, { lastModified });
}

/** Shards in folders below the model's, where its index names them: by their paths from there. */
async function withShardsBelow(
  files: ReadonlyMap<string, File>,
  chosen: readonly ChosenFile[],
  folder: string,
): Promise<ReadonlyMap<string, File>> {
  const index = files.get(indexFile);
  if (!index || files.has(weightsFile)) return files;
  const text = await readText(index, indexFile);
  const below = chosen.filter(({ path }) => {
    const inside = path.startsWith(folder) ? path.slice(folder.length) : '';
    return inside.includes('/') && isWeightsPath(inside) && text.includes(inside);
  });
  return new Map([...files, ...below.map(({ path, file }) => [path.slice(folder.length), file] as const)]);
}

async function readText(file: File, name: string): Promise<string> {
  if (file.size > maxTextBytes) throw badSource(`${name} has ${file.size} bytes, expected at most ${maxTextBytes}`);
  return file.text().catch((cause) => {
    throw new LabError('bad-source', `${name} cannot be read (${String(cause)}).`, 'Choose the files again.', {
      cause,
    });
  });
}
