/** @file Mounts the page and starts the laboratory. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { boot } from './lab/commands';
import { Page } from './ui/page';

createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
void boot();
