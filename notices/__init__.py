"""Notifications: facts of the trail become notices, notices become deliveries, and deliveries are sent outside."""
