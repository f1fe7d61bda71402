/** @file Files that a person chose or dropped: the folder that holds config.json, wherever it lies in what came. */
import { LabError } from '../errors';
import { type ChosenFile, chosenFiles, folderOf, modelFolder, several } from './chosenFiles';
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
import { badSource, missingFile, missingShard, missingWeights } from './sourceErrors';

/** Throws 'bad-source' and 'missing-file'. */
export async function openFileRepository(chosen: readonly File[] | readonly ChosenFile[]): Promise<Repository> {
  const { folder, files } = modelFolder(await withLlama2c(chosenFiles(chosen)));
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
async function withLlama2c(chosen: readonly ChosenFile[]): Promise<readonly ChosenFile[]> {
  if (chosen.some(({ file: { name } }) => name === configFile || name.endsWith('.safetensors'))) return chosen;
  const checkpoints = chosen.filter(
    ({ file: { name } }) => /\.bin$/i.test(name) && !/^(tokenizer|pytorch_model)/i.test(name),
  );
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
  const { lastModified } = file;
  const made = [
    new File([JSON.stringify(config)], configFile, { lastModified }),
    new File(weights, weightsFile, { lastModified }),
  ].map((each): ChosenFile => ({ file: each, path: `${folderOf(checkpoint)}${each.name}` }));
  return [...made, ...chosen.filter((each) => each !== checkpoint)];
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
