/** @file The button that opens the dialog for sharing, once a model is open. */
import { lazy, Suspense, useState } from 'react';
import { Boundary } from '../parts/boundary';
import { Icon } from '../parts/icons';
import { useLab } from '../parts/useLab';

const ShareDialog = lazy(() => import('./shareDialog'));

export function ShareButton() {
  const isOpen = useLab((state) => state.model !== null);
  const [shown, setShown] = useState(false);
  if (!isOpen) return null;
  return (
    <>
      <button type="button" className="button header-action" aria-haspopup="dialog" onClick={() => setShown(true)}>
        <Icon name="share" /> Share
      </button>
      {shown && (
        <Boundary title="The report could not be shared">
          <Suspense fallback={null}>
            <ShareDialog onClose={() => setShown(false)} />
          </Suspense>
        </Boundary>
      )}
    </>
  );
}
