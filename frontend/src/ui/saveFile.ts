/** Saves the file behind a signed address: the server tells the browser its name. */
export function saveFile(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.rel = "noreferrer";
  document.body.append(link);
  link.click();
  link.remove();
}
