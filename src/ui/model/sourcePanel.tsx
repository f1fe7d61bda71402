/** @file The sources of a model: the demo, an address, this device, the Hub, or the models stored in this browser. */

import { type FormEvent, useState } from 'react';
import { commands } from '../../lab/page/app';
import { HubPanel } from './hubPanel';
import { LocalFiles } from './localFiles';
import { StoredModels } from './storedModels';

export function SourcePanel({ id }: { id: string }) {
  return (
    <div className="sources" id={id}>
      <section className="source" aria-label="Demo model">
        <h3>Demo</h3>
        <p className="hint">A small story model that comes with the page, with its own text to measure on.</p>
        <div className="source-actions">
          <button type="button" className="button" onClick={() => void commands.loadModel('demo')}>
            Open the demo
          </button>
        </div>
      </section>
      <AddressForm />
      <LocalFiles />
      <HubPanel />
      <StoredModels />
    </div>
  );
}

function AddressForm() {
  const [address, setAddress] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const source = address.trim();
    if (source === '') return;
    if (commands.isOnHub(source)) void commands.previewModel(source);
    else void commands.loadModel(source);
  };
  return (
    <form className="source" aria-label="Load by address" onSubmit={submit}>
      <h3>
        <label htmlFor="model-address">From an address</label>
      </h3>
      <p className="hint">
        A folder with config.json, tokenizer.json and *.safetensors, on a server that allows other sites to read it
        (CORS).
      </p>
      <div className="source-actions">
        <input
          id="model-address"
          className="field"
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          placeholder="https://example.org/models/tiny-llama/"
          value={address}
          onChange={(event) => setAddress(event.target.value)}
        />
        <button type="submit" className="button" disabled={address.trim() === ''}>
          Load
        </button>
      </div>
    </form>
  );
}
