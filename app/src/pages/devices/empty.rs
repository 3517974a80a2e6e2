//! A list without devices: why, and one next step.

use domain::live::LinkState;
use leptos::prelude::*;

use super::Parts;
use crate::components::icon;
use crate::devices::DevicesRequest;
use crate::erase::Erase as _;

/// No devices at all, or none that were asked for.
pub(super) fn empty(parts: Parts) -> AnyView {
    let (all, asked) = parts.loaded.with(|loaded| (loaded.page.all, loaded.asked.clone()));
    if all.all + all.hidden > 0 {
        let only_hidden = all.all == 0 && asked.status.is_empty();
        let text = if only_hidden { "All devices are hidden." } else { "No device is of this status, stands in this area and holds these words." };
        let href = parts.to_list(|list| {
            *list = DevicesRequest { status: if only_hidden { "hidden".into() } else { String::new() }, ..DevicesRequest::default() }
        });
        return view! {
            <div class="empty">
                {icon("search", "")} <h2>"No device matches"</h2> <p>{text}</p> <div class="row">
                    <a class="button" href=href>
                        {if only_hidden { "Show hidden devices" } else { "Show all devices" }}
                    </a>
                </div>
            </div>
        }
        .erase();
    }
    let links = parts.live.links.get();
    let down = links.iter().find(|link| link.state != LinkState::Up);
    let broker = links.iter().map(|link| link.broker.clone()).collect::<Vec<_>>().join(" or ");
    let text = match down {
        Some(link) => format!("Broker {} is not reached; devices are found once it is.", link.broker),
        None => format!("A device appears by itself as soon as it publishes to the broker {broker}. To try it, publish a reading:"),
    };
    view! {
        <div class="empty">
            {icon("devices", "")} <h2>"No devices yet"</h2> <p>{text}</p>
            <p>
                <code>"mosquitto_pub -t sensors/hall/temperature -m 21.5 -r"</code>
            </p>
        </div>
    }
    .erase()
}
