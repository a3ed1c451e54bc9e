//! The repository: two files that every commit writes together, and where the branch has stood.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use test_support::GitFixture;

use super::history::Stood;

/// What every application reads, and what only the shop reads. Both hold the generation.
const SHARED: (&str, &str) = ("application.yml", "first");
const OWN: (&str, &str) = ("shop.yml", "second");

/// A repository whose every commit is a new generation.
#[derive(Debug)]
pub struct Configurations {
    repository: GitFixture,
    generation: u32,
    stood: Vec<Stood>,
}

impl Configurations {
    /// With one commit.
    ///
    /// # Errors
    /// When git refuses; so for everything below.
    pub fn new() -> Result<Self> {
        let mut configurations = Self {
            repository: GitFixture::new()?,
            generation: 0,
            stood: Vec::new(),
        };
        configurations.commit()?;
        Ok(configurations)
    }

    /// The repository itself.
    #[must_use]
    pub fn repository(&self) -> &GitFixture {
        &self.repository
    }

    /// Everywhere the branch has stood, in order.
    #[must_use]
    pub fn stood(&self) -> &[Stood] {
        &self.stood
    }

    /// What everybody should run: the newest that is not broken.
    ///
    /// # Panics
    /// Never: the first commit is not broken.
    #[must_use]
    pub fn current(&self) -> &Stood {
        let mut newest_first = self.stood.iter().rev();
        let good = newest_first.find(|stood| stood.generation.is_some());
        good.expect("the first commit is not broken")
    }

    /// Commits the next generation.
    pub fn commit(&mut self) -> Result<&Stood> {
        self.write()?;
        let commit = self.repository.commit("next")?;
        self.moved(commit, Some(self.generation))
    }

    /// Puts the next generation in the place of the last commit, by force.
    pub fn force_push(&mut self) -> Result<&Stood> {
        self.write()?;
        let commit = self.repository.force_push("instead")?;
        self.moved(commit, Some(self.generation))
    }

    /// Commits the next generation with a file that cannot be read.
    pub fn commit_broken(&mut self) -> Result<&Stood> {
        self.write()?;
        let commit = self.repository.commit_file(OWN.0, "second: [\n")?;
        self.moved(commit, None)
    }

    /// Takes the branch back to where it stood before.
    pub fn roll_back(&mut self) -> Result<&Stood> {
        let before = self.stood.iter().rev().nth(1).cloned();
        let Stood { commit, generation } = before.context("there is nothing to go back to")?;
        self.repository.reset(&commit)?;
        self.moved(commit, generation)
    }

    /// Deletes the branch at the remote; the next commit brings it back.
    pub fn delete_branch(&self) -> Result<()> {
        let deleted = Command::new("git")
            .args(["update-ref", "-d", "refs/heads/main"])
            .current_dir(self.repository.upstream())
            .status()?;
        ensure!(deleted.success(), "the branch cannot be deleted");
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        self.generation += 1;
        for (file, key) in [SHARED, OWN] {
            self.repository
                .write_file(file, format!("{key}: {}\n", self.generation))?;
        }
        Ok(())
    }

    fn moved(&mut self, commit: String, generation: Option<u32>) -> Result<&Stood> {
        self.stood.push(Stood { commit, generation });
        self.stood.last().context("it was just added")
    }
}
