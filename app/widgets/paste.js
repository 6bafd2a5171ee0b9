// A button that takes an image from the clipboard: Ctrl+V while it has the focus, a press, or a picture dropped on it.

const READY = "Paste an image: press here, or Ctrl+V; or drop one";

export default ({ data, parentElement, setTriggerValue }) => {
  const button = parentElement.querySelector("button");
  const say = (text) => (button.textContent = text);
  if (!button.textContent) say(READY);

  const take = async (file) => {
    if (!file) return say("There is no image on the clipboard. Copy one and try again");
    if (file.size > data.most) return say(`That image is larger than ${data.most >> 20} MB. Take a smaller one`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    say(READY);
    setTriggerValue("image", btoa(text));
  };
  const imageIn = (list) => [...(list ?? [])].find((file) => file.type.startsWith("image/"));

  button.onpaste = (event) => {
    event.preventDefault();
    take(imageIn(event.clipboardData.files));
  };
  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith("image/"));
        if (type) return take(await item.getType(type));
      }
      take();
    } catch {
      say("This browser asks for Ctrl+V instead, while this button has the focus");
    }
  };
  button.ondragover = (event) => event.preventDefault();
  button.ondrop = (event) => {
    event.preventDefault();
    take(imageIn(event.dataTransfer.files));
  };
};
