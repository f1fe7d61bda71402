/** @file A model's files as they come in: checked as early as the bytes allow, then written. */
import { createSHA256, sha256 as sha256Of } from 'hash-wasm';
import { type ErrorCode, LabError, throwIfAborted } from '../errors';
import { type ModelConfig, parseConfig } from '../model/config';
import { modelParameters } from '../model/count';
import { checkTensors, expectedTensorNames, type FileTensor, indexTensors } from '../model/tensors';
import type { TaskOptions } from '../task';
import { parseCard } from './card';
import { digestFault, digestOf, type FileDigest } from './digest';
import { downloadFile } from './download';
import type { Comparable } from './freshness';
import { hashText } from './hash';
import { HeaderReader } from './headerReader';
import { looksLikeHtml, maxTextBytes, parseJson } from './json';
import { cardFile, configFile, tokenizerFile } from './modelFiles';
import type { FileWriter, ModelFacts, PendingLoad } from './pendingLoad';
import type { OpenedFile, Repository, RepositoryFile } from './repository';
import { defaultRetryPolicy, offlineStage, type RetryPolicy, waitStage } from './retry';
import type { SafetensorsHeader } from './safetensors';
import { indexFile, parseShardIndex, type ShardIndex } from './shardIndex';
import type { Space } from './space';
import { collect, pieces } from './streams';
import type { Validator } from './validator';

export interface IntakeOptions extends TaskOptions {
  /**
   * Called before the first weight is fetched, with all small files: throw to refuse the model, for instance
   * because its tokenizer does not fit.
   */
  readonly inspect?: (model: IncomingModel) => void | Promise<void>;
  /** Requests at a time for a large file. */
  readonly connections?: number;
  readonly retry?: RetryPolicy;
}

/** Enough to fill a line, few enough for a browser's bound of six per host. */
const defaultConnections = 4;

/** A model of which the small files have come. */
export interface IncomingModel {
  readonly config: ModelConfig;
  /** Of all shards; null where the place does not tell. */
  readonly weightBytes: number | null;
  /** Text of a small file; null where the model has none. */
  text(name: string): string | null;
}

/** One load's state: what has come so far, and what it tells about the rest. */
export class Intake {
  received = 0;
  /** Of all shards, where that is known from the start. */
  readonly weightBytes: number | null;
  /** Bytes that an earlier attempt had stored. */
  #reused = 0;
  readonly #repository: Repository;
  readonly #pending: PendingLoad;
  readonly #space: Space;
  readonly #options: IntakeOptions;
  readonly #texts = new Map<string, string>();
  readonly #taken: (Comparable & { readonly sha256: string })[] = [];
  #tensors: readonly FileTensor[] = [];
  #config: ModelConfig | null = null;
  #index: ShardIndex | null = null;
  #inspected = false;

  constructor(
    repository: Repository,
    files: readonly RepositoryFile[],
    pending: PendingLoad,
    space: Space,
    options: IntakeOptions,
  ) {
    this.weightBytes = weightBytesOf(files);
    this.#repository = repository;
    this.#pending = pending;
    this.#space = space;
    this.#options = options;
  }

  async take(file: RepositoryFile): Promise<void> {
    throwIfAborted(this.#options.signal, 'The load');
    if (file.name.endsWith('.safetensors')) {
      await this.#inspect();
      if (file.size !== null && this.#repository.range) {
        await this.#downloadWeights(
          file.name,
          file.size,
          digestOf(file),
          this.#repository.range.bind(this.#repository),
        );
      } else await this.#takeWeights(file.name);
    } else {
      await this.#takeText(file);
    }
  }

  /** The manifest's part of a load that has taken all files. Throws 'bad-weights'. */
  facts(): ModelFacts {
    const config = this.#parsedConfig();
    const card = parseCard(this.#texts.get(cardFile) ?? '');
    return {
      source: this.#repository.label,
      revision: this.#repository.freshness ? this.contentRevision() : this.#repository.revision,
      digest: hashText(this.#texts.get(configFile) ?? ''),
      summary: {
        architecture: config.architecture,
        shape: config.shape,
        parameters: modelParameters(config.shape),
        dtype: indexTensors(config.shape, this.#tensors).dtype,
        tokenizer: this.#texts.has(tokenizerFile),
        ...(card ? { card } : {}),
      },
    };
  }

  /** The files so far, with what their server said of them. */
  taken(): readonly Comparable[] {
    return this.#taken;
  }

  /** A revision for a place that names none: made of the names and bytes of all files so far. */
  contentRevision(): string {
    const lines = this.#taken.map(({ name, sha256 }) => `${name} ${sha256}`).sort();
    return `content-${hashText(lines.join('\n'))}`;
  }

  async #close(writer: FileWriter, sha256: string, validator: Validator | undefined): Promise<void> {
    const { name, size } = await writer.close({ sha256, validator });
    this.#taken.push({ name, size, sha256, ...(validator ? { validator } : {}) });
  }

  async #takeText(file: RepositoryFile): Promise<void> {
    const came = (await this.#textBytes(file, true)) ?? (await this.#textBytes(file, false));
    if (came === 'absent' || came === null) return;
    const { bytes, validator } = came;
    const text = new TextDecoder().decode(bytes);
    if (file.optional && looksLikeHtml(text)) return;
    this.#texts.set(file.name, text);
    if (file.name === configFile) this.#config = parseConfig(parseJson(text, configFile, 'bad-config'));
    if (file.name === indexFile) this.#index = parseShardIndex(parseJson(text, indexFile, 'bad-weights'));
    const writer = this.#pending.write(file.name);
    await writer.append(bytes);
    await this.#close(writer, await sha256Of(bytes), validator);
    this.#count(file.name, bytes.length, bytes.length);
  }

  /** A small file's bytes; null for wrong ones that may be right when they come `again`. */
  async #textBytes(
    file: RepositoryFile,
    again: boolean,
  ): Promise<{ bytes: Uint8Array<ArrayBuffer>; validator: Validator | undefined } | 'absent' | null> {
    const opened = await this.#open(file);
    if (!opened) return 'absent';
    const what = this.#what(file.name);
    const bytes = await collect(opened.stream, what, maxTextBytes, this.#options.signal);
    if (opened.size !== null && bytes.length !== opened.size) {
      throw cutOff('network', what, bytes.length, opened.size);
    }
    const fault = await digestFault(file, bytes);
    if (fault === null) return { bytes, validator: opened.validator };
    if (again) return null;
    throw new LabError(
      'bad-download',
      `${what}: ${fault}, twice: the bytes that arrive are not the file's.`,
      'Load it again over another connection, or load its files from your disk.',
    );
  }

  async #takeWeights(name: string): Promise<void> {
    const opened = await this.#open({ name, size: null, optional: false });
    if (!opened) return;
    const what = this.#what(name);
    const writer = this.#pending.write(name);
    const reader = new HeaderReader(name, opened.size);
    // Where the place does not compute the digest on the way, it is computed here.
    const hash = opened.sha256 ? null : await createSHA256();
    let size = 0;
    for await (const piece of pieces(opened.stream, what, this.#options.signal)) {
      size += piece.length;
      const header = reader.header;
      const parsed = header ?? reader.push(piece);
      if (parsed && !header) this.#takeHeader(name, parsed);
      if (parsed && size > parsed.fileBytes) throw cutOff('bad-safetensors', what, size, parsed.fileBytes);
      hash?.update(piece);
      await writer.append(piece);
      this.#count(name, piece.length, Math.max(size, parsed?.fileBytes ?? 0));
    }
    const expected = reader.header?.fileBytes ?? reader.minimumBytes;
    if (size !== expected) throw cutOff('bad-safetensors', what, size, expected);
    await this.#close(writer, hash?.digest('hex') ?? opened.sha256?.() ?? '', opened.validator);
  }

  /** Weights whose size and digest are known: in chunks that outlive a break. */
  async #downloadWeights(
    name: string,
    size: number,
    digest: FileDigest | null,
    range: NonNullable<Repository['range']>,
  ) {
    const what = this.#what(name);
    const reader = new HeaderReader(name, size);
    await downloadFile({
      name,
      what,
      size,
      digest,
      range: (begin, end, signal) => range(name, begin, end, signal),
      pending: this.#pending,
      connections: this.#options.connections ?? defaultConnections,
      retry: {
        ...(this.#options.retry ?? defaultRetryPolicy),
        onWait: (wait) => this.#waiting(wait),
        onOffline: () => this.#report(offlineStage),
      },
      signal: this.#options.signal,
      onReceived: (bytes) => this.#count(name, bytes, size),
      onReused: (bytes) => {
        this.#reused += bytes;
        this.#space.learn(name, size);
        // A stage of its own, so that these bytes do not count into the rate of the download.
        this.#report('finding what is stored');
      },
      onBytes: (bytes) => {
        if (reader.header) return;
        const header = reader.push(bytes);
        if (header) this.#takeHeader(name, header);
      },
    });
    if (!reader.header) throw cutOff('bad-safetensors', what, size, reader.minimumBytes);
  }

  /** All that a shard's header can tell, before the rest of the shard is fetched. */
  #takeHeader(file: string, header: SafetensorsHeader): void {
    const { shape } = this.#parsedConfig();
    this.#space.learn(file, header.fileBytes);
    this.#pending.expectedBytes = this.#space.expected();
    this.#tensors = [...this.#tensors, ...header.tensors];
    if (!this.#index) {
      indexTensors(shape, header.tensors);
      return;
    }
    checkTensors(shape, header.tensors);
    const here = new Set(header.tensors.map((tensor) => tensor.name));
    for (const [tensor, shard] of this.#index.weightMap) {
      if (shard !== file || here.has(tensor)) continue;
      throw new LabError(
        'bad-weights',
        `${indexFile} says that ${tensor.slice(0, 100)} is in ${file}; it is not.`,
        'Take the index and all shards from one revision.',
      );
    }
  }

  /** Before the first weight: does the index name all tensors, and does the caller want this model? */
  async #inspect(): Promise<void> {
    if (this.#inspected) return;
    this.#inspected = true;
    const config = this.#parsedConfig();
    const weightMap = this.#index?.weightMap;
    const missing = weightMap && expectedTensorNames(config.shape).find((name) => !weightMap.has(name));
    if (missing !== undefined) {
      throw new LabError('bad-weights', `${indexFile} lacks ${missing}.`, 'Is config.json from the same revision?');
    }
    const { weightBytes } = this;
    await this.#options.inspect?.({ config, weightBytes, text: (name) => this.#texts.get(name) ?? null });
  }

  /** An optional file that is not there is null. */
  async #open(file: RepositoryFile): Promise<OpenedFile | null> {
    try {
      return await this.#repository.open(file.name, { signal: this.#options.signal });
    } catch (thrown) {
      if (file.optional && thrown instanceof LabError && thrown.code === 'missing-file') return null;
      throw thrown;
    }
  }

  #count(file: string, bytes: number, fileBytes: number): void {
    this.received += bytes;
    this.#space.learn(file, fileBytes);
    this.#report(this.#repository.remote ? 'download' : 'read');
  }

  #report(stage: string): void {
    this.#options.onProgress?.({
      stage,
      done: Math.min(this.#reused + this.received, this.#space.expected()),
      total: this.#space.expected(),
      unit: 'bytes',
    });
  }

  /** A wait that a person would notice is named. */
  #waiting(milliseconds: number): void {
    if (milliseconds < 2000) return;
    this.#report(waitStage(milliseconds));
  }

  #parsedConfig(): ModelConfig {
    if (this.#config) return this.#config;
    throw new LabError(
      'internal',
      'The weights came before config.json.',
      'This is a bug in Secateur: please report it.',
    );
  }

  #what(file: string): string {
    return `${file} of ${this.#repository.label}`;
  }
}

/** Bytes of all shards in a list of files; null where not all sizes are known. */
export function weightBytesOf(files: readonly RepositoryFile[]): number | null {
  const sizes = files.filter(({ name }) => name.endsWith('.safetensors')).map(({ size }) => size);
  return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}

function cutOff(code: ErrorCode, what: string, got: number, expected: number): LabError {
  const kind = got < expected ? 'is cut off' : 'is too long';
  return new LabError(
    code,
    `${what} ${kind}: expected ${expected} bytes, got ${got}${got > expected ? ' or more' : ''}.`,
    'The transfer broke or the file is damaged: load it again.',
  );
}
