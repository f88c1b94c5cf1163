"""Who works: this process, or the processes of a Ray cluster, by one code path."""

from matinee.cluster.engines import ALONE, HERE, Engine, LocalEngine, Peers, Report, Team

__all__ = ["ALONE", "HERE", "Engine", "LocalEngine", "Peers", "Report", "Team"]
