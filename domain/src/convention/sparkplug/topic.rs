//! What a topic of Sparkplug B is about: `spBv1.0/<group>/<type>/<node>[/<device>]`.

/// The namespace of version B.
const NAMESPACE: &str = "spBv1.0";

/// What a topic of Sparkplug B is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic<'a> {
    /// What a node, or a device of one, says.
    Said {
        /// The group of nodes.
        group: &'a str,
        /// The node.
        node: &'a str,
        /// What it says.
        what: What,
        /// The device; `None` for the node itself.
        device: Option<&'a str>,
    },
    /// Commands, and what hosts say of themselves.
    Other,
}

/// What a node or a device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// That it is there, and all that it has.
    Birth,
    /// That it is not.
    Death,
    /// What has changed.
    Data,
}

/// What a topic is about; `None` for one of somebody else.
pub(super) fn parse(topic: &str) -> Option<Topic<'_>> {
    let levels: Vec<&str> = topic.splitn(6, '/').collect();
    let (group, kind, node, device) = match levels.as_slice() {
        // Hosts of version 2.
        ["STATE", host] if !host.is_empty() => return Some(Topic::Other),
        [NAMESPACE, group, kind, node] => (group, kind, node, None),
        [NAMESPACE, group, kind, node, device] => (group, kind, node, Some(*device)),
        [NAMESPACE, ..] => return Some(Topic::Other),
        _ => return None,
    };
    let what = match (*kind, device) {
        ("NBIRTH", None) | ("DBIRTH", Some(_)) => What::Birth,
        ("NDEATH", None) | ("DDEATH", Some(_)) => What::Death,
        ("NDATA", None) | ("DDATA", Some(_)) => What::Data,
        _ => return Some(Topic::Other),
    };
    let is_named = !group.is_empty() && !node.is_empty() && device != Some("");
    Some(if is_named { Topic::Said { group, node, what, device } } else { Topic::Other })
}

/// Where commands to a node, or to a device of one, go.
pub(super) fn command_topic(group: &str, node: &str, device: Option<&str>) -> String {
    match device {
        Some(device) => [NAMESPACE, group, "DCMD", node, device].join("/"),
        None => [NAMESPACE, group, "NCMD", node].join("/"),
    }
}

/// What the topics of a group begin with.
pub(super) fn root(group: &str) -> String {
    [NAMESPACE, group].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_name_group_type_node_and_device() {
        let said = |group, node, what, device| Some(Topic::Said { group, node, what, device });
        for (topic, about) in [
            ("spBv1.0/plant/NBIRTH/line", said("plant", "line", What::Birth, None)),
            ("spBv1.0/plant/DDATA/line/pump", said("plant", "line", What::Data, Some("pump"))),
            ("spBv1.0/plant/DDEATH/line/pump", said("plant", "line", What::Death, Some("pump"))),
            ("spBv1.0/plant/NDATA/line/pump", Some(Topic::Other)),
            ("spBv1.0/plant/DDATA/line", Some(Topic::Other)),
            ("spBv1.0/plant/DDATA/line/pump/more", Some(Topic::Other)),
            ("spBv1.0/plant/NCMD/line", Some(Topic::Other)),
            ("spBv1.0/plant/DDATA//pump", Some(Topic::Other)),
            ("spBv1.0/STATE/host", Some(Topic::Other)),
            ("spBv1.0", Some(Topic::Other)),
            ("STATE/host", Some(Topic::Other)),
            ("STATE/host/more", None),
            ("spAv1.0/plant/NBIRTH/line", None),
            ("plant/line", None),
        ] {
            assert_eq!(parse(topic), about, "{topic}");
        }
    }
}
