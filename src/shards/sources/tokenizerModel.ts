/** @file Repositories that hold sentencepiece's tokenizer.model and no tokenizer.json: the one is made from the other. */
import { LabError } from '../../errors';
import { maxTextBytes } from '../../io/json';
import { collect } from '../../io/streams';
import { type Ends, sentencepieceJson } from '../formats/sentencepiece';
import { digestFault } from './digest';
import { tokenizerConfigFile, tokenizerFile, tokenizerModelFile } from './modelFiles';
import type { OpenedFile, Repository, RepositoryFile } from './repository';
import { missingFile } from './sourceErrors';

/** LLaMA's, where a tokenizer.model comes without a configuration. */
export const llamaTokenizerConfig = {
  bos_token: '<s>',
  eos_token: '</s>',
  add_bos_token: true,
  add_eos_token: false,
};

/**
 * The same repository, whose tokenizer.json is made from tokenizer.model where it has none of its own, and whose
 * tokenizer_config.json is then LLaMA's where that is missing, too. Opening tokenizer.json may throw 'bad-tokenizer'.
 */
export function withTokenizerModel(repository: Repository): Repository {
  /** As the list has it: with its digest, where there is one. */
  let listed: RepositoryFile = { name: tokenizerModelFile, size: null, optional: true };
  let converted = false;

  const convert = async (signal: AbortSignal | undefined): Promise<OpenedFile | null> => {
    const opened = await unlessMissing(repository.open(tokenizerModelFile, { signal }));
    if (!opened) return null;
    const what = `${tokenizerModelFile} of ${repository.label}`;
    const bytes = await collect(opened.stream, what, maxTextBytes, signal);
    const fault = await digestFault(listed, bytes);
    if (fault !== null) throw new LabError('bad-download', `${what}: ${fault}.`, 'Load it again.');
    const own = await unlessMissing(repository.open(tokenizerConfigFile, { signal }));
    const config =
      own && (await collect(own.stream, `${tokenizerConfigFile} of ${repository.label}`, maxTextBytes, signal));
    const json = sentencepieceJson(bytes, endsOf(config));
    converted = true;
    const { validator } = opened;
    const made = jsonFile(json);
    return validator ? { ...made, validator: { ...validator, file: tokenizerModelFile } } : made;
  };

  return {
    ...repository,
    async list(signal) {
      const files = await repository.list(signal);
      const found = files.find((file) => file.name === tokenizerModelFile);
      if (!found) return files;
      listed = found;
      const rest = files.filter((file) => file !== found);
      const has = (name: string): boolean => rest.some((file) => file.name === name);
      const made = [tokenizerFile, tokenizerConfigFile].filter((name) => !has(name));
      const [config, ...others] = rest;
      return [config!, ...made.map((name) => ({ name, size: null, optional: true })), ...others];
    },
    async open(name, options = {}) {
      if (name !== tokenizerFile && name !== tokenizerConfigFile) return repository.open(name, options);
      const own = await unlessMissing(repository.open(name, options));
      if (own) return own;
      const instead =
        name === tokenizerFile ? await convert(options.signal) : converted ? jsonFile(llamaTokenizerConfig) : null;
      if (instead) return instead;
      throw missingFile(name, repository.label);
    },
  };
}

/**
 * What transformers 5.18 puts around a text of a tokenizer.model: what tokenizer_config.json asks for by name. Without that
 * file, LLaMA's <s>. What is no JSON is refused when the tokenizer is opened.
 */
function endsOf(config: Uint8Array | null): Ends {
  if (config === null) return { bos: true, eos: false };
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(config));
    const { add_bos_token, add_eos_token } = Object(json) as Record<string, unknown>;
    return { bos: add_bos_token === true, eos: add_eos_token === true };
  } catch {
    return { bos: true, eos: false };
  }
}

async function unlessMissing(opening: Promise<OpenedFile>): Promise<OpenedFile | null> {
  try {
    return await opening;
  } catch (thrown) {
    if (thrown instanceof LabError && thrown.code === 'missing-file') return null;
    throw thrown;
  }
}

function jsonFile(json: object): OpenedFile {
  const blob = new Blob([JSON.stringify(json)]);
  return { size: blob.size, stream: blob.stream() };
}
