//! The window's accessibility tree as elements of the page, which eframe leaves out on the web: `mirror.js`
//! makes the elements, and what a screen reader does with them comes back as requests to egui.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use eframe::egui::accesskit::{
    Action, ActionData, ActionRequest, Live, Node, NodeId, Role, Toggled, TreeId, TreeUpdate,
};
use eframe::egui::{Context, Event, FullOutput, Plugin, RawInput};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = "modelensNode")]
    fn put_node(id: u64, tag: &str, attributes: &str, left: f64, top: f64, width: f64, height: f64);

    #[wasm_bindgen(js_name = "modelensChildren")]
    fn put_children(id: u64, children: &[u64]);

    #[wasm_bindgen(js_name = "modelensMirrored")]
    fn finish(gone: &[u64], root: u64, focus: u64);
}

thread_local! {
    /// What was asked for through the elements since the last frame.
    static ASKED: RefCell<(Vec<ActionRequest>, Option<Context>)> = RefCell::default();
}

/// Carries out what a person did with the element of a node; `value` is that of a field or slider.
#[wasm_bindgen]
pub fn act(id: u64, action: &str, value: String) {
    let (action, data) = match action {
        "click" => (Action::Click, None),
        "focus" => (Action::Focus, None),
        "increment" => (Action::Increment, None),
        "decrement" => (Action::Decrement, None),
        "value" => {
            let number = value.parse().map(ActionData::NumericValue);
            let data = number.unwrap_or_else(|_| ActionData::Value(value.into()));
            (Action::SetValue, Some(data))
        }
        _ => return,
    };
    ASKED.with_borrow_mut(|(requests, ctx)| {
        requests.push(ActionRequest {
            action,
            target_tree: TreeId::ROOT,
            target_node: NodeId(id),
            data,
        });
        if let Some(ctx) = ctx {
            ctx.request_repaint();
        }
    });
}

/// Seconds between two changes of the elements: the tree is not even built in the frames between.
const INTERVAL_SECS: f64 = 0.25;

/// The mirror, with the nodes as the page has them.
#[derive(Default)]
pub struct Mirror {
    nodes: HashMap<NodeId, Node>,
    focus: Option<NodeId>,
    zoom: f32,
    /// When the elements were last changed, in seconds of egui's clock.
    changed_secs: Option<f64>,
}

impl Plugin for Mirror {
    fn debug_name(&self) -> &'static str {
        "accessibility mirror"
    }

    fn setup(&mut self, ctx: &Context) {
        ASKED.with_borrow_mut(|(_, wake)| *wake = Some(ctx.clone()));
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        let requests = ASKED.with_borrow_mut(|(requests, _)| std::mem::take(requests));
        let asked = !requests.is_empty();
        let requests = requests.into_iter().map(Event::AccessKitActionRequest);
        input.events.extend(requests);
        let now = input.time.unwrap_or_default();
        let due = self
            .changed_secs
            .is_none_or(|last| now - last >= INTERVAL_SECS);
        if due || asked {
            self.changed_secs = Some(now);
            ctx.enable_accesskit();
        } else {
            ctx.disable_accesskit();
        }
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        match output.platform_output.accesskit_update.take() {
            Some(update) => self.show(ctx, update),
            // What this frame changed is mirrored by a later one.
            None => ctx.request_repaint_after(Duration::from_secs_f64(INTERVAL_SECS)),
        }
    }
}

impl Mirror {
    /// Changes the elements of those nodes that have changed.
    fn show(&mut self, ctx: &Context, update: TreeUpdate) {
        let zoom = ctx.zoom_factor();
        let Some(tree) = update.tree else { return };
        let mut new: HashMap<NodeId, Node> = update.nodes.into_iter().collect();
        // The letters' places in a text are of no use without a caret.
        new.retain(|_, node| node.role() != Role::TextRun);
        let is_new_zoom = std::mem::replace(&mut self.zoom, zoom) != zoom;
        let changed: Vec<(&NodeId, &Node)> = new
            .iter()
            .filter(|(id, node)| is_new_zoom || self.nodes.get(id) != Some(node))
            .collect();
        let gone: Vec<u64> = self
            .nodes
            .keys()
            .filter(|id| !new.contains_key(id))
            .map(|id| id.0)
            .collect();
        if changed.is_empty() && gone.is_empty() && self.focus == Some(update.focus) {
            return;
        }
        for (id, node) in &changed {
            let (tag, attributes) = element(node, **id == tree.root);
            let bounds = node.bounds().unwrap_or_default();
            let zoom = f64::from(zoom);
            let [left, top] = [bounds.x0 * zoom, bounds.y0 * zoom];
            let [width, height] = [bounds.width() * zoom, bounds.height() * zoom];
            put_node(id.0, tag, &attributes, left, top, width, height);
        }
        for (id, node) in &changed {
            let mut seen = HashSet::new();
            let children = node.children().iter();
            let children: Vec<u64> = children
                .filter(|child| new.contains_key(child) && seen.insert(**child))
                .map(|child| child.0)
                .collect();
            put_children(id.0, &children);
        }
        finish(&gone, tree.root.0, update.focus.0);
        self.focus = Some(update.focus);
        self.nodes = new;
    }
}

/// The attributes of an element as `mirror.js` reads them.
#[derive(Default)]
struct Attributes(String);

impl Attributes {
    fn put(&mut self, name: &str, value: &str) {
        self.0 += name;
        self.0.push('=');
        self.0 += value;
        self.0.push('\u{1f}');
    }

    fn put_some(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.put(name, &value.to_string());
        }
    }
}

/// The tag of the element for a node, and its attributes. `text` is its content, `value` what a field holds,
/// `announce` the region that says it when it changes.
fn element(node: &Node, is_root: bool) -> (&'static str, String) {
    let mut given = Attributes::default();
    let sets_value = node.supports_action(Action::SetValue);
    let role = if is_root { "" } else { role_of(node) };
    let tag = match node.role() {
        Role::MultilineTextInput => "textarea",
        Role::TextInput | Role::SearchInput => "input",
        Role::Slider | Role::SpinButton if sets_value => "input",
        _ => "div",
    };
    let label = node.label().filter(|label| !label.is_empty());
    let value = node.value();
    let number = node.numeric_value();
    if tag == "input" {
        given.put(
            "type",
            match node.role() {
                Role::Slider => "range",
                Role::SpinButton => "number",
                _ => "text",
            },
        );
        if number.is_some() {
            given.put("step", "any");
            given.put_some("min", node.min_numeric_value());
            given.put_some("max", node.max_numeric_value());
        }
    } else if !role.is_empty() {
        given.put("role", role);
    }
    if !node.labelled_by().is_empty() {
        let ids: Vec<String> = node
            .labelled_by()
            .iter()
            .map(|id| format!("node-{}", id.0))
            .collect();
        given.put("aria-labelledby", &ids.join(" "));
    } else if node.role() == Role::Label {
        given.put_some("text", label.or(value));
    } else {
        given.put_some("aria-label", label);
    }
    if let Some(number) = number {
        if tag == "input" {
            given.put("value", &number.to_string());
        } else {
            given.put("aria-valuenow", &number.to_string());
            given.put_some("aria-valuemin", node.min_numeric_value());
            given.put_some("aria-valuemax", node.max_numeric_value());
        }
        given.put_some("aria-valuetext", value);
    } else if tag != "div" {
        given.put("value", value.unwrap_or_default());
        given.put_some("placeholder", node.placeholder());
    } else if node.role() != Role::Label {
        // The chosen entry of a menu button, for one.
        given.put_some("aria-description", value);
    }
    if let Some(toggled) = node.toggled() {
        let state = match (role, toggled) {
            ("tab" | "option" | "row" | "listitem", _) => "aria-selected",
            ("checkbox" | "radio" | "switch" | "menuitemcheckbox" | "menuitemradio", _) => {
                "aria-checked"
            }
            _ => "aria-pressed",
        };
        given.put(
            state,
            match toggled {
                Toggled::False => "false",
                Toggled::True => "true",
                Toggled::Mixed => "mixed",
            },
        );
    }
    given.put_some("aria-description", node.description());
    given.put_some("aria-selected", node.is_selected());
    given.put_some("aria-expanded", node.is_expanded());
    if node.is_disabled() {
        given.put("aria-disabled", "true");
    }
    if node.is_modal() {
        given.put("aria-modal", "true");
    }
    match node.live() {
        Some(Live::Polite) => given.put("announce", "polite"),
        Some(Live::Assertive) => given.put("announce", "assertive"),
        Some(Live::Off) | None => {}
    }
    (tag, given.0)
}

/// The name of a role in ARIA; empty for an element that only holds others.
fn role_of(node: &Node) -> &'static str {
    match node.role() {
        Role::Button | Role::DefaultButton => "button",
        Role::CheckBox => "checkbox",
        Role::RadioButton => "radio",
        Role::RadioGroup => "radiogroup",
        Role::Switch => "switch",
        Role::Link => "link",
        Role::Tab => "tab",
        Role::TabList => "tablist",
        Role::ComboBox => "combobox",
        Role::Slider => "slider",
        Role::SpinButton => "spinbutton",
        Role::Image => "img",
        Role::ProgressIndicator => "progressbar",
        Role::Heading => "heading",
        Role::Dialog | Role::Window => "dialog",
        Role::AlertDialog => "alertdialog",
        Role::List => "list",
        Role::ListItem => "listitem",
        Role::ListBox => "listbox",
        Role::ListBoxOption => "option",
        Role::Menu => "menu",
        Role::MenuItem => "menuitem",
        Role::Tooltip => "tooltip",
        Role::Splitter => "separator",
        Role::Label => "",
        _ if node.label().is_none() => "",
        _ if node.supports_action(Action::Click) => "button",
        _ => "group",
    }
}
