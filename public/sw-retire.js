// Copy this file over sw.js on the host to remove the service worker, and all that it stored, from every visitor's browser.
// See docs/hosting.md.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => {
  const { scope } = self.registration;
  const retire = async () => {
    await caches.delete(`secateur ${new URL(scope).pathname}`);
    await self.registration.unregister();
    for (const client of await self.clients.matchAll({ type: 'window' })) await client.navigate(client.url);
  };
  event.waitUntil(retire());
});
