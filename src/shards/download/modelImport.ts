/** @file A model's files as they come in: checked as early as the bytes allow, then written. */
import { createSHA256, sha256 as sha256Of } from 'hash-wasm';
import { type ErrorCode, LabError, throwIfAborted } from '../../errors';
import { hashText } from '../../io/hash';
import { decodeText, looksLikeHtml, maxTextBytes, parseJson } from '../../io/json';
import { defaultRetryPolicy, offlineStage, type RetryPolicy, waitStage } from '../../io/retry';
import { collect, pieces } from '../../io/streams';
import { type ModelConfig, parseConfig } from '../../model/config';
import { modelParameters } from '../../model/count';
import { fitTensors, lackingNames } from '../../model/fit';
import { checkTensors, type FileTensor, tensorIndex } from '../../model/tensors';
import type { TaskOptions } from '../../task';
import { HeaderReader } from '../formats/headerReader';
import type { SafetensorsHeader } from '../formats/safetensors';
import { indexFile, parseShardIndex, type ShardIndex } from '../formats/shardIndex';
import { digestFault, digestOf, type FileDigest } from '../sources/digest';
import type { Comparable } from '../sources/freshness';
import { cardFile, configFile, tokenizerFile } from '../sources/modelFiles';
import type { OpenedFile, Repository, RepositoryFile } from '../sources/repository';
import { missingShard } from '../sources/sourceErrors';
import type { FileWriter, ModelFacts, PendingLoad } from '../store/pendingLoad';
import { readerOf, sameBytes } from '../store/sameBytes';
import type { Validator } from '../store/validator';
import { parseCard } from './card';
import type { DiskBudget } from './diskBudget';
import { downloadFile } from './download';

export interface ModelImportOptions extends TaskOptions {
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

/** A model whose small files have arrived. */
export interface IncomingModel {
  readonly config: ModelConfig;
  /** Of all shards; null where the place does not tell. */
  readonly weightBytes: number | null;
  /** Text of a small file; null where the model has none. */
  text(name: string): string | null;
}

/** Tensors of all shards that are parsed again at each opening: some milliseconds. */
const parsedAtOnce = 20_000;

/** One load's state: the files so far, and the facts about the rest that they tell. */
export class ModelImport {
  received = 0;
  /** Of all shards, where that is known from the start. */
  readonly weightBytes: number | null;
  /** Bytes that an earlier attempt had stored. */
  #reused = 0;
  readonly #repository: Repository;
  readonly #pending: PendingLoad;
  readonly #space: DiskBudget;
  readonly #options: ModelImportOptions;
  readonly #texts = new Map<string, string>();
  readonly #taken: (Comparable & { readonly sha256: string })[] = [];
  #tensors: readonly FileTensor[] = [];
  #config: ModelConfig | null = null;
  #index: ShardIndex | null = null;
  #inspected = false;
  /** Files of weights that will come. */
  readonly #weightFiles: number;

  constructor(
    repository: Repository,
    files: readonly RepositoryFile[],
    pending: PendingLoad,
    diskBudget: DiskBudget,
    options: ModelImportOptions,
  ) {
    this.weightBytes = weightBytesOf(files);
    this.#weightFiles = files.filter(({ name }) => name.endsWith('.safetensors')).length;
    this.#repository = repository;
    this.#pending = pending;
    this.#space = diskBudget;
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

  /** The manifest's part of a load that has taken all files: as the tensors have it. Throws 'bad-weights'. */
  async facts(): Promise<ModelFacts> {
    const config = this.#parsedConfig();
    const card = parseCard(this.#texts.get(cardFile) ?? '');
    const first = fitTensors(config, this.#tensors);
    const { tables } = first;
    const ownHead = tables && !(await sameBytes(...tables, readerOf(this.#pending), this.#options.signal));
    const { shape, byName, notes } = ownHead ? fitTensors(config, this.#tensors, ownHead) : first;
    const { dtype, tensors } = tensorIndex(shape, byName);
    const chosen = this.#repository.weights?.()?.notes ?? [];
    const all = [...config.notes, ...chosen, ...notes, ...this.#indexNotes(byName)];
    return {
      source: this.#repository.label,
      revision:
        this.#repository.freshness || this.#repository.same ? this.contentRevision() : this.#repository.revision,
      digest: hashText(this.#texts.get(configFile) ?? ''),
      // A table that takes long to parse is kept, as far as the model needs it.
      ...(this.#tensors.length > parsedAtOnce ? { tensors: [...new Set([...tensors, ...(tables ?? [])])] } : {}),
      summary: {
        architecture: config.architecture,
        shape,
        parameters: modelParameters(shape),
        dtype,
        tokenizer: this.#texts.has(tokenizerFile),
        ...(card ? { card } : {}),
        ...(ownHead === null ? {} : { ownHead }),
        notes: all.slice(0, maxNotes),
      },
    };
  }

  /** The files so far, with their server's facts about them. */
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
    const code = textCodes.get(file.name);
    const text = code ? decodeText(bytes, file.name, code) : new TextDecoder().decode(bytes);
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
      `${what}: ${fault}, twice: the connection delivers other bytes than the file's.`,
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
        this.#report('looking for stored files');
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
    const config = this.#parsedConfig();
    this.#space.learn(file, header.fileBytes);
    this.#pending.expectedBytes = this.#space.expected();
    this.#tensors = [...this.#tensors, ...header.tensors];
    if (this.#weightFiles === 1) {
      this.#fitsAlone(config, header.tensors);
    } else checkTensors(config.shape, header.tensors);
  }

  /** One file has to hold everything. Where another choice of files was possible, the refusal says which one was made. */
  #fitsAlone(config: ModelConfig, tensors: readonly FileTensor[]): void {
    try {
      const { shape, byName } = fitTensors(config, tensors);
      tensorIndex(shape, byName);
    } catch (thrown) {
      const [choice] = this.#repository.weights?.()?.notes ?? [];
      if (!(thrown instanceof LabError) || choice === undefined) throw thrown;
      throw new LabError(thrown.code, `${thrown.message} ${choice}`, thrown.remedy, { cause: thrown });
    }
  }

  /** Before the first weight: is what the model needs in the shards that are there, and does the caller want this model? */
  async #inspect(): Promise<void> {
    if (this.#inspected) return;
    this.#inspected = true;
    const config = this.#parsedConfig();
    this.#refuseAbsent(config);
    const { weightBytes } = this;
    await this.#options.inspect?.({ config, weightBytes, text: (name) => this.#texts.get(name) ?? null });
  }

  /** The index names shards that are not there: that matters where the model needs a tensor that is in none of the others. */
  #refuseAbsent({ shape }: ModelConfig): void {
    const absent = this.#repository.weights?.()?.absent ?? [];
    if (absent.length === 0 || !this.#index) return;
    const gone = new Map(absent.flatMap(({ name, tensors }) => tensors.map((tensor) => [tensor, name] as const)));
    const here = [...this.#index.weightMap.keys()].filter((tensor) => !gone.has(tensor));
    for (const tensor of lackingNames(shape, here)) {
      const shard = gone.get(tensor);
      if (shard !== undefined) throw missingShard(shard, this.#repository.label);
    }
  }

  /** What the index says that the shards' own headers, which decide, do not. */
  #indexNotes(byName: ReadonlyMap<string, FileTensor>): string[] {
    const notes = (this.#repository.weights?.()?.absent ?? []).map(
      ({ name }) => `${name}, which ${indexFile} lists, is missing; the model needs none of its tensors.`,
    );
    const named = [...(this.#index?.weightMap.keys() ?? [])].filter((tensor) => !byName.has(tensor));
    if (named.length === 0) return notes;
    const more = named.length > 1 ? ` and ${named.length - 1} more` : '';
    return [
      ...notes,
      `${indexFile} lists ${named[0]?.slice(0, 120)}${more}, which no shard contains and the model does not need.`,
    ];
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

  /** A wait that a user would notice is named. */
  #waiting(milliseconds: number): void {
    if (milliseconds < 2000) return;
    this.#report(waitStage(milliseconds));
  }

  #parsedConfig(): ModelConfig {
    if (this.#config) return this.#config;
    throw new LabError(
      'internal',
      'The weights arrived before config.json.',
      'This is a bug in Secateur: please report it.',
    );
  }

  #what(file: string): string {
    return `${file} of ${this.#repository.label}`;
  }
}

/** More would not help. */
const maxNotes = 20;

/** Files that cannot be used where their bytes are no UTF-8. */
const textCodes = new Map<string, ErrorCode>([
  [configFile, 'bad-config'],
  [indexFile, 'bad-weights'],
]);

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
