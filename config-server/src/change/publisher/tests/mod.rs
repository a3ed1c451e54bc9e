mod crashes;
mod decisions;
