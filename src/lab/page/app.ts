/** @file The app: one laboratory, one store, and the commands that the page's panels call. */
import { pageBrowser } from './browser';
import { createCommands } from './commands/createCommands';
import { lab, labWorker } from './lab';
import { createLabStore } from './store';

export const store = createLabStore();
export const commands = createCommands(lab, store, { worker: labWorker, browser: pageBrowser() });
