//! Paths and steps for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::Cluster;
use super::actions::{Action, ActionOf, letter};
use super::network::Packet;
use super::protocol::Protocol;
use super::state::State;

const LANE: usize = 110;
const ROW: usize = 32;
const TOP: usize = 40;
const LEFT: usize = 50;

/// Each selector is confined to the diagram, which may stand in a page.
const STYLE: &str = "\
    .sequence text{font:13px sans-serif;fill:#222} .sequence .step{fill:#555} \
    .sequence .lane{stroke:#888;stroke-width:1.5} .sequence .stopped{stroke-dasharray:2 5} \
    .sequence .message,.sequence .answer{stroke:#1a5fb4;stroke-width:1.5} \
    .sequence .answer{stroke-dasharray:5 3} .sequence .lost{stroke:#c01c28;stroke-width:1.5} \
    .sequence .local{fill:#1a5fb4} \
    .sequence .start{fill:#fff;stroke:#26a269;stroke-width:2} \
    .sequence .fault{stroke:#c01c28;stroke-width:2.5}";

impl<P: Protocol> Cluster<P> {
    /// A sequence diagram of a path as SVG: a lane per node, dotted while the node is stopped, an
    /// arrow per message and answer, a mark per local event, and the list of steps beside them.
    ///
    /// Each element of `path` is a state and the action taken in it; the last has none.
    #[must_use]
    pub fn sequence_diagram(&self, path: &[(State<P>, Option<Action<P>>)]) -> String {
        let mut svg = String::new();
        match self.draw(path, &mut svg) {
            Ok(()) => svg,
            Err(fmt::Error) => unreachable!("writing to a string cannot fail"),
        }
    }

    /// What differs between two states, one part a line.
    pub(super) fn changes(&self, last: &State<P>, next: &State<P>) -> String {
        let mut lines = Vec::new();
        for (node, (before, after)) in (0..).zip(last.hosts.iter().zip(&next.hosts)) {
            if before != after {
                lines.push(format!("{}: {after:#?}", letter(node)));
            }
        }
        if last.network != next.network {
            let packets = next.network.packets().iter();
            let texts: Vec<_> = packets.map(|packet| self.packet_text(packet)).collect();
            lines.push(format!("in flight: {}", texts.join(", ")));
        }
        if last.clients != next.clients {
            lines.push(format!("clients: {:?}", next.clients));
        }
        if last.left != next.left {
            lines.push(format!("faults left: {:?}", next.left));
        }
        if last.isolated != next.isolated {
            lines.push(format!("isolated: {:#b}", next.isolated));
        }
        if last.ghost != next.ghost {
            lines.push(format!("ghost: {:#?}", next.ghost));
        }
        if lines.is_empty() {
            lines.push("no change".to_owned());
        }
        lines.join("\n")
    }

    fn packet_text(&self, packet: &Packet<P::Message>) -> String {
        let message = self.protocol.message_text(&packet.message);
        format!("{message} {} -> {}", letter(packet.from), letter(packet.to))
    }

    fn draw(&self, path: &[(State<P>, Option<Action<P>>)], svg: &mut String) -> fmt::Result {
        let lanes = self.bounds.replicas;
        let steps: Vec<_> = path
            .iter()
            .filter_map(|(_, action)| Some((action.as_ref()?, self.text(action.as_ref()?))))
            .collect();
        let longest = steps.iter().map(|(_, text)| text.chars().count()).max();
        let list = x(lanes);
        let width = list + 8 * longest.unwrap_or(0) + 60;
        let height = y(path.len());
        writeln!(
            svg,
            "<svg class='sequence' xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' \
             viewBox='0 0 {width} {height}'>\n<style>{STYLE}</style>\n\
             <defs><marker id='arrow' markerWidth='10' markerHeight='8' refX='10' refY='4' \
             orient='auto'><polygon points='0 0, 10 4, 0 8' fill='#1a5fb4'/></marker></defs>",
        )?;
        for node in 0..lanes {
            let name = letter(node as u8);
            writeln!(
                svg,
                "<text class='node' x='{}' y='22' text-anchor='middle'>{name}</text>",
                x(node),
            )?;
            for (row, (state, _)) in path.iter().enumerate() {
                let stopped = match state.machine(node) {
                    Some(_) => "",
                    None => " stopped",
                };
                writeln!(
                    svg,
                    "<line class='lane{stopped}' x1='{0}' y1='{1}' x2='{0}' y2='{2}'/>",
                    x(node),
                    y(row),
                    y(row + 1),
                )?;
            }
        }
        let mut sent = Sent::default();
        if let Some((state, _)) = path.first() {
            sent.note(state, 0);
        }
        for (row, (action, text)) in (1..).zip(&steps) {
            self.draw_step(svg, &sent, row, action)?;
            writeln!(
                svg,
                "<text class='step' x='{list}' y='{}'>{row}. {}</text>",
                y(row) + 4,
                escape(text),
            )?;
            if let Some((state, _)) = path.get(row) {
                sent.note(state, row);
            }
        }
        writeln!(svg, "</svg>")
    }

    fn draw_step(
        &self,
        svg: &mut String,
        sent: &Sent<P::Message>,
        row: usize,
        action: &Action<P>,
    ) -> fmt::Result {
        let line = |svg: &mut String, class: &str, from: (usize, usize), to: (usize, usize)| {
            let end = match class {
                "message" | "answer" => " marker-end='url(#arrow)'",
                _ => "",
            };
            writeln!(
                svg,
                "<line class='{class}' x1='{}' y1='{}' x2='{}' y2='{}'{end}/>",
                from.0, from.1, to.0, to.1,
            )
        };
        let here = |node: &u8| (x(usize::from(*node)), y(row));
        let circle = |svg: &mut String, class: &str, node: &u8| {
            let (cx, cy) = here(node);
            writeln!(svg, "<circle class='{class}' cx='{cx}' cy='{cy}' r='5'/>")
        };
        let cross = |svg: &mut String, (cx, cy): (usize, usize)| {
            line(svg, "fault", (cx - 6, cy - 6), (cx + 6, cy + 6))?;
            line(svg, "fault", (cx - 6, cy + 6), (cx + 6, cy - 6))
        };
        match action {
            ActionOf::Deliver { to, from, message }
            | ActionOf::Duplicate { to, from, message }
            | ActionOf::Lose { to, from, message }
            | ActionOf::Damage {
                to, from, message, ..
            } => {
                let origin = (x(usize::from(*from)), y(sent.row(*to, *from, message)));
                let mut target = here(to);
                let mut class = "message";
                if matches!(action, ActionOf::Lose { .. }) {
                    target = (origin.0.midpoint(target.0), origin.1.midpoint(target.1));
                    class = "lost";
                    cross(svg, target)?;
                }
                let mut arrives = message;
                if let ActionOf::Damage { damaged, .. } = action {
                    let (x, y) = (origin.0.midpoint(target.0), origin.1.midpoint(target.1));
                    cross(svg, (x, y))?;
                    arrives = damaged;
                }
                line(svg, class, origin, target)?;
                writeln!(
                    svg,
                    "<text x='{}' y='{}' text-anchor='middle'>{}</text>",
                    origin.0.midpoint(target.0),
                    origin.1.midpoint(target.1) - 4,
                    escape(&self.protocol.message_text(arrives)),
                )
            }
            ActionOf::Answer { node, from, .. } => line(svg, "answer", here(from), here(node)),
            ActionOf::CorruptAnswer { node, from, .. } => {
                line(svg, "answer", here(from), here(node))?;
                let (from, node) = (here(from), here(node));
                cross(svg, (from.0.midpoint(node.0), node.1))
            }
            ActionOf::Start { node } => circle(svg, "start", node),
            ActionOf::Call { client, .. } => {
                let node = self.bounds.clients[usize::from(*client)].node as u8;
                circle(svg, "local", &node)
            }
            ActionOf::GiveUp { node, .. }
            | ActionOf::Publish { node, .. }
            | ActionOf::Tick { node, .. }
            | ActionOf::Close { node } => circle(svg, "local", node),
            ActionOf::FailQuery { node, .. }
            | ActionOf::FailPublish { node, .. }
            | ActionOf::Crash { node, .. }
            | ActionOf::LoseData { node } => cross(svg, here(node)),
            ActionOf::CrashDuring { action, .. } => {
                self.draw_step(svg, sent, row, action)?;
                match self.actor(action) {
                    Some(node) => cross(svg, here(&node)),
                    None => Ok(()),
                }
            }
            ActionOf::Partition { node } | ActionOf::Heal { node } => {
                let (cx, cy) = here(node);
                let class = match action {
                    ActionOf::Partition { .. } => "fault",
                    _ => "start",
                };
                line(svg, class, (cx - 14, cy), (cx + 14, cy))
            }
        }
    }

    /// The node whose step an action is.
    fn actor(&self, action: &Action<P>) -> Option<u8> {
        match action {
            ActionOf::Start { node }
            | ActionOf::Answer { node, .. }
            | ActionOf::CorruptAnswer { node, .. }
            | ActionOf::GiveUp { node, .. }
            | ActionOf::FailQuery { node, .. }
            | ActionOf::Publish { node, .. }
            | ActionOf::FailPublish { node, .. }
            | ActionOf::Tick { node, .. }
            | ActionOf::Crash { node, .. }
            | ActionOf::LoseData { node }
            | ActionOf::Close { node }
            | ActionOf::Partition { node }
            | ActionOf::Heal { node } => Some(*node),
            ActionOf::Deliver { to, .. }
            | ActionOf::Duplicate { to, .. }
            | ActionOf::Damage { to, .. } => Some(*to),
            ActionOf::Call { client, .. } => {
                Some(self.bounds.clients[usize::from(*client)].node as u8)
            }
            ActionOf::CrashDuring { action, .. } => self.actor(action),
            ActionOf::Lose { .. } => None,
        }
    }
}

/// In which row each message in flight was sent; of equal ones on an ordered link, the oldest.
struct Sent<M>(BTreeMap<Packet<M>, usize>);

impl<M> Default for Sent<M> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<M: Ord + Clone> Sent<M> {
    fn note<P: Protocol<Message = M>>(&mut self, state: &State<P>, row: usize) {
        let packets = state.network.packets();
        self.0.retain(|packet, _| packets.contains(packet));
        for packet in packets {
            self.0.entry(packet.clone()).or_insert(row);
        }
    }

    fn row(&self, to: u8, from: u8, message: &M) -> usize {
        let message = message.clone();
        let packet = Packet { to, from, message };
        self.0.get(&packet).copied().unwrap_or(0)
    }
}

fn x(lane: usize) -> usize {
    LEFT + lane * LANE
}

fn y(row: usize) -> usize {
    TOP + row * ROW
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}
