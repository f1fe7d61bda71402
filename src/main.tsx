/** @file Mounts the page and starts the laboratory. */
import './trusted';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { commands, lab } from './lab/page/app';
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
