/** @file Mounts the page. */
import './trusted';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { lab } from './lab/page/app';
import { Root } from './ui/root';

declare global {
  interface Window {
    /** The laboratory, for the console and for scripts: the same object that the page uses. */
    lab: typeof lab;
  }
}

window.lab = lab;
createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <Root settled={Promise.resolve()} />
  </StrictMode>,
);
