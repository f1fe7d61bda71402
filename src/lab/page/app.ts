/** @file The app: one laboratory, one store, and the commands that the page's panels call. */
import { pageBrowser } from './browser';
import { createCommands } from './commands/createCommands';
import { createLab } from './lab';
import { createLabStore } from './store';

const { lab, worker } = createLab();

export { lab };
export const store = createLabStore();
export const commands = createCommands(lab, store, { worker, browser: pageBrowser() });
