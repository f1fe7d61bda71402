// Mail programs turn the # of a link into %23, which leads to 404.html: this hands the link on to the page that it means.
{
  const [, page, rest] = /^(.*?)%23(.*)$/s.exec(location.pathname + location.search) ?? [];
  if (rest !== undefined && rest.length <= 65_536) {
    const target = new URL(location.href);
    // The parts are set one by one: an address such as //other.example/%23 stays on this host.
    target.pathname = page.startsWith('/') ? page : '/';
    target.search = '';
    target.hash = rest;
    if (target.origin === location.origin) location.replace(target.href);
  }
}
