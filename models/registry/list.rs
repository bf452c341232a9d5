//! The registry as a document: `concord.list/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Budget, Claimed, Fault, NotExpressible, Property, Subject, System};
use crate::checker::{Bounds, FairKinds, Kind};

/// Systems with their models, properties and variants.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    /// `concord.list/1`.
    pub schema: &'static str,
    /// The systems.
    pub systems: Vec<ListedSystem>,
}

/// One system.
#[derive(Clone, Debug, Serialize)]
pub struct ListedSystem {
    /// Its name.
    pub name: &'static str,
    /// Its models.
    pub models: Vec<ListedModel>,
    /// Defects that no variant stands for.
    pub not_expressible: &'static [NotExpressible],
}

/// One model.
#[derive(Clone, Debug, Serialize)]
pub struct ListedModel {
    /// Its name, `system/model`.
    pub name: &'static str,
    /// Its bounds by budget.
    pub bounds: BTreeMap<&'static str, Bounds>,
    /// Its properties.
    pub properties: Vec<ListedProperty>,
    /// Its variants.
    pub faults: Vec<Fault>,
}

/// One property.
#[derive(Clone, Debug, Serialize)]
pub struct ListedProperty {
    /// Name of the claim.
    pub name: &'static str,
    /// Id in the spec.
    pub id: Option<&'static str>,
    /// Its kind.
    pub kind: Kind,
    /// The fairness it is judged under, if it is about liveness.
    pub fairness: Option<FairKinds>,
    /// One sentence.
    pub statement: &'static str,
    /// The variants that must violate it.
    pub killed_by: Vec<&'static str>,
    /// The `sometimes` that shows its interesting case is reached.
    pub witness: Option<&'static str>,
}

impl Listing {
    /// Lists `systems`.
    pub fn of(systems: &[System]) -> Self {
        Listing {
            schema: "concord.list/1",
            systems: systems.iter().map(System::list).collect(),
        }
    }
}

impl System {
    /// This system as `concord list` shows it.
    pub fn list(&self) -> ListedSystem {
        ListedSystem {
            name: self.name,
            models: (self.models)()
                .iter()
                .map(|subject| list(&**subject))
                .collect(),
            not_expressible: self.not_expressible,
        }
    }
}

fn list(subject: &dyn Subject) -> ListedModel {
    let bounds = [("quick", Budget::Quick), ("full", Budget::Full)];
    let claims = all_claims(subject);
    let properties = subject.properties().iter();
    ListedModel {
        name: subject.name(),
        bounds: bounds
            .map(|(name, budget)| (name, subject.bounds(budget)))
            .into(),
        properties: properties
            .map(|property| list_property(subject, &claims, property))
            .collect(),
        faults: subject.faults().to_vec(),
    }
}

/// The claims of the correct model, then those that only variants have.
fn all_claims(subject: &dyn Subject) -> Vec<Claimed> {
    let mut claims = subject.claims(None, Budget::Quick);
    for fault in subject.faults() {
        for claim in subject.claims(Some(fault.name), Budget::Quick) {
            if claims.iter().all(|known| known.name != claim.name) {
                claims.push(claim);
            }
        }
    }
    claims
}

fn list_property(subject: &dyn Subject, claims: &[Claimed], property: &Property) -> ListedProperty {
    let claim = claims.iter().find(|claim| claim.name == property.name);
    let claim = claim.unwrap_or_else(|| {
        panic!(
            "{} documents {}, which it never claims",
            subject.name(),
            property.name
        )
    });
    let faults = subject.faults().iter();
    ListedProperty {
        name: property.name,
        id: property.id,
        kind: claim.kind,
        fairness: claim.fairness.clone(),
        statement: property.statement,
        killed_by: faults
            .filter(|fault| fault.violates.contains(&property.name))
            .map(|fault| fault.name)
            .collect(),
        witness: property.witness,
    }
}
