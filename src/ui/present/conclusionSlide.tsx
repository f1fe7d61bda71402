/** @file The last slide: what the measurements show, and the link of the report as a QR code. */
import { useContext, useMemo } from 'react';
import { useStore } from 'zustand';
import { qrCharacters } from '../../report/link/share';
import { LabStoreContext } from '../parts/useLab';
import { QrCode } from '../share/qrCode';
import { useShared } from '../share/useShared';
import { conclusions } from './conclusions';
import { SlideFrame } from './frame';

export function ConclusionSlide({ link }: { link?: string }) {
  return link === undefined ? <WithOwnLink /> : <Conclusion link={link} />;
}

/** In the laboratory: the link is made here, as short as a QR code asks for where that is possible. */
function WithOwnLink() {
  const { link } = useShared(qrCharacters);
  return <Conclusion link={link?.url ?? null} isWhole={link?.leftOut.length === 0} />;
}

function Conclusion({ link, isWhole = true }: { link: string | null; isWhole?: boolean }) {
  const state = useStore(useContext(LabStoreContext));
  const sentences = useMemo(() => conclusions(state), [state]);
  const fits = link !== null && link.length <= qrCharacters;
  return (
    <SlideFrame title="Conclusion">
      <div className={fits ? 'conclusion with-code' : 'conclusion'}>
        <ul>
          {sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        {fits && (
          <figure>
            <QrCode text={link} label="QR code of the report’s link" />
            <figcaption>
              {isWhole ? 'The report, with all numbers' : 'The report, without its least needed numbers'}
            </figcaption>
          </figure>
        )}
      </div>
    </SlideFrame>
  );
}
