/** @file The browser as the page's commands use it: its address, its memory between visits, files. */
import { workKeys } from './addressedWork';
import { type CatalogueEntry, fetchCatalogue } from './catalogue';
import { lateWord, Openings } from './opening';
import { type SavedSessions, savedSessions } from './saved';

export interface Browser {
  /** The page's address. */
  address(): Pick<URL, 'search' | 'hostname' | 'href'>;
  /** Whether the page itself wrote this address, in this visit or before a reload: then it is no link that somebody made. */
  isOwnAddress(): boolean;
  /** Writes the query of the page's address; 'push' where Back should lead to the address before. */
  writeAddress(search: string, how: 'push' | 'replace'): void;
  /** Back or forward has led to another address. */
  onAddress(listener: () => void): void;
  /** Removes the model and the work from the page's address, so that a reload does not open it. */
  removeModelFromAddress(): void;
  /** The source of the model that was open last; null where there is none, or where storage is switched off. */
  lastSource(): string | null;
  /** Remembers a source for the next visit; null forgets it. */
  rememberSource(source: string | null): void;
  readonly openings: Openings;
  /** Waits for the writes of another tab of the page that is closing. */
  lateWord(): Promise<void>;
  readonly sessions: SavedSessions;
  fetchCatalogue(): Promise<CatalogueEntry[]>;
  /** Puts a file where the browser puts downloads. */
  download(file: File): void;
  /** Asks the user for a folder to write into; null where they choose none. Undefined where the browser has no such question. */
  readonly chooseFolder: (() => Promise<FileSystemDirectoryHandle | null>) | undefined;
}

const sourceKey = 'secateur.source';

/** The browser that the page runs in. */
export function pageBrowser(): Browser {
  const openings = new Openings(pageStorage(), globalThis.navigator?.locks ?? null, globalThis.window ?? null);
  return {
    address: () => location,
    isOwnAddress,
    writeAddress,
    onAddress: (listener) => globalThis.addEventListener?.('popstate', listener),
    removeModelFromAddress,
    lastSource,
    rememberSource,
    openings,
    lateWord,
    sessions: savedSessions,
    fetchCatalogue,
    download,
    chooseFolder: canChooseFolder ? chooseFolder : undefined,
  };
}

interface FolderPicker {
  showDirectoryPicker?: (options: { mode: 'readwrite'; id: string }) => Promise<FileSystemDirectoryHandle>;
}

/** Chromium only: Firefox and Safari write files where they put downloads. */
export const canChooseFolder = (globalThis as FolderPicker).showDirectoryPicker !== undefined;

async function chooseFolder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return (await (globalThis as FolderPicker).showDirectoryPicker?.({ mode: 'readwrite', id: 'export' })) ?? null;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') return null;
    throw thrown;
  }
}

/** localStorage, where the browser lets the page have it: in private windows, reading its name may throw. */
function pageStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

function lastSource(): string | null {
  try {
    return pageStorage()?.getItem(sourceKey) ?? null;
  } catch {
    return null; // storage is switched off: the next visit opens the demo
  }
}

function rememberSource(source: string | null): void {
  try {
    if (source === null) pageStorage()?.removeItem(sourceKey);
    else pageStorage()?.setItem(sourceKey, source);
  } catch {
    return; // the storage is full: the next visit opens the demo
  }
}

function removeModelFromAddress(): void {
  const url = new URL(location.href);
  if (!url.searchParams.has('model')) return;
  for (const key of workKeys) url.searchParams.delete(key);
  history.replaceState(null, '', url);
}

/** Entries of the browser's history that the page wrote itself. */
const ownEntry = { secateur: 'work' };

function isOwnAddress(): boolean {
  const state: unknown = history.state;
  return typeof state === 'object' && state !== null && (state as Partial<typeof ownEntry>).secateur === 'work';
}

function writeAddress(search: string, how: 'push' | 'replace'): void {
  const address = `${location.pathname}${search === '' ? '' : `?${search}`}${location.hash}`;
  try {
    if (how === 'push') history.pushState(ownEntry, '', address);
    else history.replaceState(ownEntry, '', address);
  } catch (thrown) {
    // Browsers allow so many entries in so many seconds; the next step is written again.
    console.warn('The browser did not take the page’s address.', thrown);
  }
}

function download(file: File): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
