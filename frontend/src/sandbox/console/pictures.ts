/**
 * Pictures of the chat that stand in an <img> with an address of the gateway. The frame cannot load that, so the picture
 * is fetched, which goes over the tunnel, and shown as a blob.
 */
import { gatewayPath, isCarried } from "./fetched";

const setAttribute = Element.prototype.setAttribute;
/** The address that an element was given last. */
const wanted = new WeakMap<Element, string>();

async function show(picture: HTMLImageElement, address: string): Promise<void> {
  wanted.set(picture, address);
  const response = await fetch(address).catch(() => null);
  if (wanted.get(picture) !== address) return;
  if (response?.ok) setAttribute.call(picture, "src", URL.createObjectURL(await response.blob()));
  else picture.dispatchEvent(new Event("error"));
}

/** Takes the address, or says that it is none of the gateway's. */
function takes(picture: HTMLImageElement, address: string): boolean {
  wanted.delete(picture);
  const path = URL.canParse(address, document.baseURI) ? gatewayPath(new URL(address, document.baseURI)) : null;
  if (path === null || !isCarried(path)) return false;
  void show(picture, address);
  return true;
}

export function carryPictures(): void {
  Element.prototype.setAttribute = function (name, value) {
    if (this instanceof HTMLImageElement && name === "src" && takes(this, String(value))) return;
    setAttribute.call(this, name, value);
  };
  const own = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
  if (own) Object.defineProperty(HTMLImageElement.prototype, "src", {
    ...own, set(this: HTMLImageElement, value: string) { this.setAttribute("src", value); },
  });
}
