use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;
use crate::store::plan::{PlanChange, PlanKind, PlanRow};

/// All of a kind, by id.
pub(super) async fn list(connection: &mut SqliteConnection, kind: PlanKind) -> Result<Vec<PlanRow>, StoreError> {
    let sql = match kind {
        PlanKind::Group => "select entity_group_id, data, null from entity_group order by entity_group_id",
        PlanKind::Scene => "select scene_id, data, standing from scene order by scene_id",
        PlanKind::Schedule => "select schedule_id, data, standing from schedule order by schedule_id",
    };
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(sql).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, data, standing)| PlanRow { id, data, standing }).collect())
}

/// Does a change.
pub(super) async fn change(connection: &mut SqliteConnection, kind: PlanKind, change: &PlanChange) -> Result<(), StoreError> {
    let query = match change {
        PlanChange::Put { id, data } => {
            let sql = match kind {
                PlanKind::Group => {
                    "insert into entity_group (entity_group_id, data) values (?, ?) on conflict (entity_group_id) do update set data = excluded.data"
                }
                PlanKind::Scene => "insert into scene (scene_id, data) values (?, ?) on conflict (scene_id) do update set data = excluded.data",
                PlanKind::Schedule => {
                    "insert into schedule (schedule_id, data) values (?, ?) on conflict (schedule_id) do update set data = excluded.data"
                }
            };
            sqlx::query(sql).bind(id).bind(data)
        }
        PlanChange::Standing { id, standing } => {
            let sql = match kind {
                PlanKind::Group => return Ok(()),
                PlanKind::Scene => "update scene set standing = ? where scene_id = ?",
                PlanKind::Schedule => "update schedule set standing = ? where schedule_id = ?",
            };
            sqlx::query(sql).bind(standing).bind(id)
        }
        PlanChange::Delete { id } => {
            let sql = match kind {
                PlanKind::Group => "delete from entity_group where entity_group_id = ?",
                PlanKind::Scene => "delete from scene where scene_id = ?",
                PlanKind::Schedule => "delete from schedule where schedule_id = ?",
            };
            sqlx::query(sql).bind(id)
        }
    };
    query.execute(connection).await?;
    Ok(())
}
