/** @file Mounts the page and starts the laboratory. */
import { commands } from './lab/page/app';
import './trusted';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { lab } from './lab/page/lab';
import { Page } from './ui/page';

declare global {
  interface Window {
    /** The laboratory, for the console and for scripts: the same object that the page uses. */
    lab: typeof lab;
  }
}

window.lab = lab;
createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
void commands.boot();
