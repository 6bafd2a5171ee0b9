// A button that takes an image from the clipboard: Ctrl+V while it has the focus, a press, or a picture dropped on it.

export default ({ data, parentElement, setTriggerValue }) => {
  const button = parentElement.querySelector("button");
  const say = (text) => (button.textContent = text);
  const { said } = data;
  if (button.ready !== said.ready) say((button.ready = said.ready)); // at first, and in another language

  const take = async (file) => {
    if (!file) return say(said.none);
    if (file.size > data.most) return say(said.large);
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    say(said.ready);
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
      say(said.refused);
    }
  };
  button.ondragover = (event) => event.preventDefault();
  button.ondrop = (event) => {
    event.preventDefault();
    take(imageIn(event.dataTransfer.files));
  };
};
