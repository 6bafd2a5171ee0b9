// What stands below a figure that others drew: the row that saves it. `data.of` is the class of the element that holds
// the figure, `data.name_of_file` names what is saved, `data.rows` are its numbers.

export function draw(root, data, emit) {
  return update(mount(root, "", build, data), data, emit);
}

function build(view) {
  const holder = () => document.getElementsByClassName(view.data.of)[0];
  const figure = () => holder().querySelector(".js-plotly-plot") ?? holder();
  view.root.append(saving(figure, () => ({ name: view.data.name_of_file, rows: view.data.rows })));
}
